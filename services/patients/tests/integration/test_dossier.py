"""What a clinic owes the person it keeps records of: to show everything, and to erase everything."""

from uuid import UUID

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic, Json
from sqlalchemy import text

from contracts.events import PatientErased, PatientRecordsRead
from patients.domain.patient import patient_id

TABLES = text("""
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = 'patients' AND column_name = 'cliniko_patient_id' AND table_name <> 'erasures'
""")
ANNOUNCED = text("SELECT body FROM outbox WHERE routing_key = :key ORDER BY id")


@pytest.fixture
async def full(clinic: Clinic) -> Clinic:
    """Ada with an appointment to come and a cancelled one, and Zoe."""
    await clinic.hears(
        clinic.page(clinic.type(7, "Physiotherapy"), clinic.type(9, "Pilates")),
        clinic.page(clinic.practitioner(8, "Sam Sample")),
        clinic.page(clinic.patient(1, first_name="Ada"), clinic.patient(2, first_name="Zoe")),
        clinic.page(
            clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7", practitioner_id="8", notes="Knee"),
            clinic.appointment(2, 1, NOON - DAY, cancelled_at=NOON - 2 * DAY),
            clinic.appointment(3, 2, NOON + HOUR),
        ),
    )
    assert len(await clinic.listed()) == 2
    return clinic


def of(clinic: Clinic, number: int) -> UUID:
    return patient_id(clinic.organization_id, str(number))


async def exported(clinic: Clinic, number: int) -> Json:
    response = await clinic.manage("GET", f"{address(clinic, number)}/export")
    answer: Json = response.raise_for_status().json()
    return answer


def address(clinic: Clinic, number: int) -> str:
    return f"/api/v1/patients/{clinic.organization_id}/patients/{of(clinic, number)}"


async def announced(clinic: Clinic, key: str) -> list[bytes]:
    async with clinic.database.transaction() as connection:
        bodies = (await connection.execute(ANNOUNCED, {"key": key})).scalars()
        return [body for body in bodies if clinic.organization_id.encode() in body]


async def test_an_export_shows_what_counts_and_what_does_not(full: Clinic) -> None:
    kept = await exported(full, 1)
    assert (kept["organization_id"], kept["patient"]["name"]) == (full.organization_id, "Ada")
    cancelled, coming = kept["appointments"]
    assert (cancelled["id"], cancelled["cancelled_at"]) == ("2", "2025-06-28T12:00:00.000Z")
    assert (coming["id"], coming["type"], coming["practitioner"], coming["notes"]) == (
        "1",
        "Physiotherapy",
        "Sam Sample",
        "Knee",
    )


async def test_an_export_is_on_record(full: Clinic) -> None:
    await exported(full, 1)
    *_, body = await announced(full, "patients.records.read.v1")
    read = PatientRecordsRead.model_validate_json(body)
    assert (read.patient_ids, read.route.rpartition("/")[2]) == ((of(full, 1),), "export")


async def test_of_an_erased_patient_nothing_is_left_and_others_stay(full: Clinic) -> None:
    full.now += 2 * HOUR  # documents have expired: making them notes where patients stood
    erased = await full.manage("DELETE", address(full, 1))
    assert (erased.status_code, erased.json()["patient_id"]) == (200, str(of(full, 1)))
    assert [patient["name"] for patient in await full.listed()] == ["Zoe"]
    async with full.database.transaction(full.organization_id) as connection:
        for table in (await connection.execute(TABLES)).scalars().all():
            left = text(f"SELECT count(*) FROM {table} WHERE cliniko_patient_id = '1'")
            assert (table, await connection.scalar(left)) == (table, 0)


async def test_the_other_services_hear_of_an_erasure(full: Clinic) -> None:
    await full.manage("DELETE", address(full, 1))
    (body,) = await announced(full, "patients.patient.erased.v1")
    event = PatientErased.model_validate_json(body)
    assert (event.organization_id, event.patient_id, event.cliniko_patient_id) == (
        full.organization_id,
        of(full, 1),
        "1",
    )


async def test_what_comes_later_of_an_erased_patient_is_kept_out(full: Clinic) -> None:
    await full.manage("DELETE", address(full, 1))
    await full.hears(
        full.page(full.patient(1, first_name="Ada"), full.patient(3, first_name="Eve")),
        full.page(full.appointment(4, 1, NOON + HOUR), full.appointment(5, 3, NOON + 3 * HOUR)),
    )
    assert [patient["name"] for patient in await full.listed(active="all")] == ["Zoe", "Eve"]
    async with full.database.transaction(full.organization_id) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM appointments WHERE cliniko_patient_id = '1'")) == 0


async def test_an_appointment_that_becomes_an_erased_patients_is_nobodys_in_whatever_order_its_states_come(
    full: Clinic,
) -> None:
    before = full.page(full.appointment(4, 2, NOON + 2 * HOUR))
    moved = full.page(full.appointment(4, 1, NOON + 2 * HOUR), full.appointment(5, 2, NOON + DAY))
    back = full.page(full.appointment(4, 2, NOON + 3 * HOUR))
    await full.manage("DELETE", address(full, 1))
    for told, kept in (([before], ["3", "4"]), ([moved, before], ["3", "5"]), ([moved, back, moved], ["3", "4", "5"])):
        await full.hears(*told)
        (zoe,) = await full.listed()
        assert [one["id"] for one in zoe["upcoming_appointments"]] == kept


async def test_an_older_state_of_an_erased_patients_appointment_gives_it_to_nobody(full: Clinic) -> None:
    late = full.page(full.appointment(4, 2, NOON + 2 * HOUR))
    await full.hears(full.page(full.appointment(4, 1, NOON + 2 * HOUR)))
    await full.manage("DELETE", address(full, 1))
    await full.hears(late)
    assert [patient["upcoming_appointment_count"] for patient in await full.listed()] == [1]


@pytest.mark.parametrize(("method", "path"), [("GET", "/export"), ("DELETE", "")])
async def test_a_member_may_do_neither_and_an_unknown_patient_is_none(full: Clinic, method: str, path: str) -> None:
    refused = await full.manage(method, address(full, 1) + path, "member")
    unknown = await full.manage(method, address(full, 77) + path)
    assert (refused.status_code, unknown.status_code) == (403, 404)
    assert len(await full.listed()) == 2
