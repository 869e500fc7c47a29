"""Two transactions at once about the same patient: the second begins before the first commits, in either order."""

import asyncio
from collections.abc import Callable

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic, apply
from services.patients.tests.slow import History
from sqlalchemy import text

from contracts.base import Event
from patients.adapters.documents import refresh
from patients.adapters.tenant import Tenant

WAITING = text("""
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
""")
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
        await waits_or_ends(meanwhile, clinic)
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
        await waits_or_ends(reading, clinic)
    assert await reading in (before, after)
    assert await clinic.listed() == after


async def test_what_is_written_while_marked_documents_are_made_is_made_by_the_next_reader(clinic: Clinic) -> None:
    known = [clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR))]
    later = clinic.page(clinic.appointment(2, 1, NOON + 3 * HOUR))
    await clinic.hears(*known)
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await refresh(Tenant(connection, clinic.organization_id), clinic.now)
        writing = asyncio.create_task(clinic.hears(later))
        await waits_or_ends(writing, clinic)
    await writing
    assert await clinic.listed() == History([*known, later]).patient_list(clinic.now)


async def test_who_makes_marked_documents_waits_for_the_page_that_marks_them_again(clinic: Clinic) -> None:
    known = [clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR))]
    later = clinic.page(clinic.appointment(2, 1, NOON + 3 * HOUR))
    await clinic.hears(*known)
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await apply(later, Tenant(connection, clinic.organization_id), clinic.now)
        reading = asyncio.create_task(clinic.listed())
        await waits_or_ends(reading, clinic)
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
        await waits_or_ends(writing, clinic)
        await clinic.listed()
    await writing
    assert await clinic.listed() == History([*known, renamed, first]).patient_list(clinic.now)


async def waits_or_ends(task: "asyncio.Task[object]", clinic: Clinic) -> None:
    """Return once the task can do no more before the transaction it meets has ended."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not task.done():
        async with clinic.database.transaction() as connection:
            if (await connection.execute(waiting)).scalar_one():
                return
        await asyncio.sleep(0.01)
