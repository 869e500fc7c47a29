"""Two transactions at once about the same patient: the second begins before the first commits, in either order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic, apply
from services.patients.tests.slow import History
from sqlalchemy import text

from contracts.base import Event
from patients.adapters import documents
from patients.adapters.tenant import Tenant

WAITING = text("""
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
""")
HOLD = "SELECT FROM {table} WHERE organization_id = :organization_id AND cliniko_patient_id = :patient FOR UPDATE"
Scene = Callable[[Clinic], tuple[list[Event], Event, Event]]
"""What is known before, and the two events that meet."""


def a_new_patient_and_their_appointment(clinic: Clinic) -> tuple[list[Event], Event, Event]:
    return [], clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR))


def a_renamed_patient_and_their_next_appointment(clinic: Clinic) -> tuple[list[Event], Event, Event]:
    known = [clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + DAY))]
    return known, clinic.page(clinic.patient(1, first_name="Ada")), clinic.page(clinic.appointment(2, 1, NOON + HOUR))


def two_pages_of_appointments_of_the_same_patients(clinic: Clinic) -> tuple[list[Event], Event, Event]:
    known = [clinic.page(clinic.patient(1), clinic.patient(2))]
    one = clinic.page(clinic.appointment(1, 1, NOON + HOUR), clinic.appointment(2, 2, NOON + HOUR))
    return known, one, clinic.page(clinic.appointment(4, 2, NOON - DAY), clinic.appointment(3, 1, NOON - DAY))


def a_type_and_the_first_appointment_of_it(clinic: Clinic) -> tuple[list[Event], Event, Event]:
    appointment = clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7"))
    return [clinic.page(clinic.patient(1))], clinic.page(clinic.type(7, "Physiotherapy")), appointment


def a_renamed_practitioner_and_another_appointment_of_theirs(clinic: Clinic) -> tuple[list[Event], Event, Event]:
    known = [
        clinic.page(clinic.patient(1), clinic.patient(2)),
        clinic.page(clinic.practitioner(8, "Sam")),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, practitioner_id="8")),
    ]
    appointment = clinic.page(clinic.appointment(2, 2, NOON + HOUR, practitioner_id="8"))
    return known, clinic.page(clinic.practitioner(8, "Sam Sample")), appointment


def a_new_appointment_and_its_move_to_another_patient(clinic: Clinic) -> tuple[list[Event], Event, Event]:
    known = [clinic.page(clinic.patient(1), clinic.patient(2))]
    first, moved = (clinic.page(clinic.appointment(1, patient, NOON + HOUR)) for patient in (2, 1))
    return known, first, moved


SCENES = (
    a_new_patient_and_their_appointment,
    a_renamed_patient_and_their_next_appointment,
    two_pages_of_appointments_of_the_same_patients,
    a_type_and_the_first_appointment_of_it,
    a_renamed_practitioner_and_another_appointment_of_theirs,
    a_new_appointment_and_its_move_to_another_patient,
)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("scene", SCENES)
async def test_what_two_transactions_do_at_once_is_read_as_if_they_had_come_in_turn(
    clinic: Clinic, scene: Scene, swapped: bool
) -> None:
    known, *pair = scene(clinic)
    first, second = reversed(pair) if swapped else pair
    await clinic.hears(*known)
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await apply(first, Tenant(connection, clinic.organization_id), clinic.now)
        meanwhile = asyncio.create_task(clinic.hears(second))
        await wait_or_end(clinic, meanwhile)
    await meanwhile
    assert await clinic.listed() == History([*known, *pair]).patient_list(clinic.now)


async def test_a_reader_who_meets_a_page_being_applied_sees_the_list_before_or_after_it(clinic: Clinic) -> None:
    known = [clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR))]
    later = clinic.page(clinic.appointment(2, 1, NOON + 3 * HOUR))
    await clinic.hears(*known)
    clinic.now += 2 * HOUR  # the document has expired, so that the reader has to make it
    before, after = (History(events).patient_list(clinic.now) for events in (known, [*known, later]))
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await apply(later, Tenant(connection, clinic.organization_id), clinic.now)
        reading = asyncio.create_task(clinic.listed())
        await wait_or_end(clinic, reading)
    assert await reading in (before, after)
    assert await clinic.listed() == after


async def test_what_is_written_while_marked_documents_are_made_is_made_by_the_next_reader(clinic: Clinic) -> None:
    known = [clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR))]
    later = clinic.page(clinic.appointment(2, 1, NOON + 3 * HOUR))
    await clinic.hears(*known)
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await documents.refresh(Tenant(connection, clinic.organization_id), clinic.now)
        writing = asyncio.create_task(clinic.hears(later))
        await wait_or_end(clinic, writing)
    await writing
    assert await clinic.listed() == History([*known, later]).patient_list(clinic.now)


async def test_who_makes_marked_documents_waits_for_the_page_that_marks_them_again(clinic: Clinic) -> None:
    known = [clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR))]
    later = clinic.page(clinic.appointment(2, 1, NOON + 3 * HOUR))
    await clinic.hears(*known)
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await apply(later, Tenant(connection, clinic.organization_id), clinic.now)
        reading = asyncio.create_task(clinic.listed())
        await wait_or_end(clinic, reading)
        assert not reading.done()
    after = History([*known, later]).patient_list(clinic.now)
    assert await reading == after
    assert await clinic.listed() == after


async def test_a_name_reaches_a_document_that_is_made_while_the_name_is_not_committed_yet(clinic: Clinic) -> None:
    known = [clinic.page(clinic.patient(1)), clinic.page(clinic.type(7, "Physio"))]
    renamed = clinic.page(clinic.type(7, "Physiotherapy"))
    first = clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7"))
    await clinic.hears(*known)
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await apply(renamed, Tenant(connection, clinic.organization_id), clinic.now)
        writing = asyncio.create_task(clinic.hears(first))
        await wait_or_end(clinic, writing)
        await clinic.listed()
    await writing
    assert await clinic.listed() == History([*known, renamed, first]).patient_list(clinic.now)


async def test_who_asks_whether_a_list_has_changed_makes_it_once_and_so_waits_in_no_circle(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.patient(5)))
    await clinic.listed()
    await clinic.hears(clinic.page(clinic.patient(5, first_name="Ada")))
    async with held(clinic, "patient_documents", "5"):
        asking = asyncio.create_task(clinic.read("patients", {"if-none-match": '"another"'}, active="all"))
        assert await wait_or_end(clinic, asking)
        await clinic.hears(clinic.page(clinic.patient(2)))
        reading = asyncio.create_task(names(clinic))
        assert await wait_or_end(clinic, asking, reading)
    assert [patient["name"] for patient in (await asking).json()["patients"]] == ["Ada"]
    assert await reading == ["2", "5"]


async def test_a_removal_that_meets_readers_waits_with_nothing_in_its_hands(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(*map(clinic.patient, (1, 3, 5))))
    async with held(clinic, "stale_documents", "3"):
        reading = asyncio.create_task(names(clinic))
        assert await wait_or_end(clinic, reading)
        removing = asyncio.create_task(clinic.hears(clinic.removed(patient=5)))
        assert await wait_or_end(clinic, reading, removing)
    assert await reading == ["1", "3", "5"]
    await removing
    assert await names(clinic) == ["1", "3"]


async def test_documents_that_go_and_documents_that_expire_are_locked_in_one_order(clinic: Clinic) -> None:
    patients = (1, 3, 5)
    appointments = (clinic.appointment(number, number, NOON + HOUR) for number in patients)
    await clinic.hears(clinic.page(*map(clinic.patient, patients)), clinic.page(*appointments))
    await clinic.listed()
    clinic.now += 2 * HOUR  # all documents have expired
    async with held(clinic, "patient_documents", "3"):
        reading = asyncio.create_task(names(clinic))
        assert await wait_or_end(clinic, reading)
        removing = asyncio.create_task(clinic.hears(clinic.removed(patient=5)))
        assert await wait_or_end(clinic, reading, removing)
    await asyncio.gather(reading, removing)
    assert await names(clinic) == ["1", "3"]


async def test_documents_of_a_clinic_that_are_made_in_two_pieces_are_all_there(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(*map(clinic.patient, range(documents.PIECE + 1))))
    assert (await clinic.get("patients", active="all", limit=1))["total_count"] == documents.PIECE + 1


async def names(clinic: Clinic) -> Sequence[str]:
    """Who is listed, by Cliniko's ids."""
    return sorted(patient["cliniko_patient_id"] for patient in await clinic.listed(active="all"))


@asynccontextmanager
async def held(clinic: Clinic, table: str, patient: str) -> AsyncIterator[None]:
    """While this is open nobody else gets this row."""
    async with clinic.database.transaction(clinic.organization_id) as connection:
        tenant = Tenant(connection, clinic.organization_id)
        await tenant.execute(text(HOLD.format(table=table)), patient=patient)
        yield


async def wait_or_end(clinic: Clinic, *tasks: "asyncio.Task[Any]") -> bool:
    """Return once the tasks can do no more before the transaction they meet has ended; whether all of them wait."""
    while not any(task.done() for task in tasks):
        async with clinic.database.transaction() as connection:
            if (await connection.execute(WAITING)).scalar_one() == len(tasks):
                return True
        await asyncio.sleep(0.01)
    return False
