"""A document is true at the moment it is read, though nothing was heard since it was made."""

from datetime import UTC, datetime, timedelta

from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic, apply
from sqlalchemy import text

from patients.adapters.tenant import Tenant

INSTANT = timedelta(microseconds=1)


async def status_at(clinic: Clinic, now: datetime) -> tuple[str, int, int]:
    clinic.now = now
    (patient,) = await clinic.listed(active="all")
    return patient["activity_status"], patient["recent_appointment_count"], patient["upcoming_appointment_count"]


async def test_an_upcoming_appointment_becomes_recent_when_it_starts_and_leaves_after_thirty_days(
    clinic: Clinic,
) -> None:
    starts_at = NOON + HOUR
    await clinic.hears(clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, starts_at)))
    assert await status_at(clinic, starts_at - INSTANT) == ("upcoming_only", 0, 1)
    assert await status_at(clinic, starts_at) == ("recently_active", 1, 0)
    assert await status_at(clinic, starts_at + 30 * DAY) == ("recently_active", 1, 0)
    assert await status_at(clinic, starts_at + 30 * DAY + INSTANT) == ("inactive", 0, 0)


async def test_thirty_days_are_720_hours_when_clocks_change_meanwhile(clinic: Clinic) -> None:
    starts_at = datetime(2025, 3, 20, 12, tzinfo=UTC)  # Europe and Australia change their clocks within the month
    clinic.now = starts_at + HOUR
    await clinic.hears(clinic.page(clinic.patient(1)))
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await connection.execute(text("SET LOCAL TIME ZONE 'Australia/Sydney'"))
        tenant = Tenant(connection, clinic.organization_id)
        await apply(clinic.page(clinic.appointment(1, 1, starts_at)), tenant, clinic.now)
    assert await status_at(clinic, starts_at + 720 * HOUR) == ("recently_active", 1, 0)
    assert await status_at(clinic, starts_at + 720 * HOUR + INSTANT) == ("inactive", 0, 0)


async def test_a_cancellation_is_seen_at_once(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR)))
    await clinic.hears(clinic.page(clinic.appointment(1, 1, NOON + HOUR, cancelled_at=NOON)))
    assert await status_at(clinic, NOON) == ("inactive", 0, 0)


async def test_the_totals_of_a_page_follow_the_clock_like_the_patients_on_it(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON - 30 * DAY)))
    assert (await clinic.get("patients"))["total_count"] == 1
    clinic.now += INSTANT
    assert (await clinic.get("patients"))["total_count"] == 0


async def test_a_sweep_confirms_every_record_without_making_its_document_again(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.patient(1)))
    (before,) = await clinic.listed(active="all")
    await clinic.hears(clinic.run(NOON + DAY, full_sweep=False), clinic.run(NOON + HOUR))
    (after,) = await clinic.listed(active="all")
    assert (before["last_synced_at"], after["last_synced_at"]) == (
        "2025-06-30T12:00:00.000Z",
        "2025-06-30T13:00:00.000Z",
    )
    assert {**after, "last_synced_at": None} == {**before, "last_synced_at": None}


async def test_a_renamed_type_is_read_by_its_new_name(clinic: Clinic) -> None:
    await clinic.hears(
        clinic.page(clinic.type(7, "Physio")),
        clinic.page(clinic.patient(1)),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7")),
    )
    assert [patient["next_appointment_type"] for patient in await clinic.listed()] == ["Physio"]
    await clinic.hears(clinic.page(clinic.type(7, "Physiotherapy")))
    assert [patient["next_appointment_type"] for patient in await clinic.listed()] == ["Physiotherapy"]
