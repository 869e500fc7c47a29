"""Messages come early, late, twice and in any order; the end is the same."""

from secrets import token_hex

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic
from services.patients.tests.slow import History
from sqlalchemy import text

from contracts.base import Event


def a_life(clinic: Clinic) -> list[Event]:
    """A type renamed, a patient archived and back, an appointment moved and cancelled, removals, a return, a sweep."""
    return [
        clinic.page(clinic.patient(1), clinic.patient(2, archived_at=NOON), clinic.patient(3)),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7", practitioner_id="8")),
        clinic.page(clinic.appointment(2, 2, NOON - DAY, appointment_type_id="7")),
        clinic.page(clinic.type(7, "Physio")),
        clinic.page(clinic.practitioner(8, "Sam")),
        clinic.page(clinic.patient(2, first_name="Back"), clinic.patient(1, first_name="Ada")),
        clinic.page(clinic.appointment(1, 3, NOON + DAY, appointment_type_id="7", practitioner_id="8")),
        clinic.page(clinic.type(7, "Physiotherapy")),
        clinic.page(clinic.appointment(3, 1, NOON + HOUR, cancelled_at=NOON), clinic.appointment(4, 1, NOON - HOUR)),
        clinic.removed(appointment=4),
        clinic.removed(patient=2),
        clinic.removed(patient=3),
        clinic.page(clinic.patient(3, first_name="Again")),
        clinic.run(NOON - DAY),
        clinic.run(NOON + HOUR),
        clinic.run(NOON + DAY, status="failed"),
    ]


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_order_and_no_repetition_of_messages_changes_the_end(clinic: Clinic, data: st.DataObject) -> None:
    clinic.organization_id = f"org_{token_hex(8)}"
    events = a_life(clinic)
    again = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=6))
    order = data.draw(st.permutations([*range(len(events)), *again]))
    await clinic.hears(*(events[index] for index in order))
    assert await clinic.listed(active="all") == History(events).patient_list(clinic.now, "all")


async def test_a_page_that_names_a_record_twice_keeps_its_newest_state(clinic: Clinic) -> None:
    old, new = clinic.patient(1, first_name="Old"), clinic.patient(1, first_name="New")
    await clinic.hears(clinic.page(new, old))
    assert [patient["name"] for patient in await clinic.listed(active="all")] == ["New"]


async def test_a_removed_record_stays_away_until_a_newer_state_of_it_comes(clinic: Clinic) -> None:
    late, removal, back = clinic.patient(1, first_name="Late"), clinic.removed(patient=1), clinic.patient(1)
    await clinic.hears(clinic.page(clinic.appointment(1, 1, NOON + HOUR)), removal, clinic.page(late))
    assert await clinic.listed(active="all") == []
    restored = back.model_copy(update={"first_name": "Back", "updated_at": late.updated_at - DAY})
    await clinic.hears(clinic.page(restored), removal)
    assert [patient["name"] for patient in await clinic.listed()] == ["Back"]


async def test_a_removed_appointment_no_longer_counts_for_its_patient(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.patient(1)), clinic.page(clinic.appointment(1, 1, NOON + HOUR)))
    await clinic.hears(clinic.removed(appointment=1))
    (patient,) = await clinic.listed(active="all")
    assert (patient["is_active"], patient["total_appointment_count"]) == (False, 0)


async def test_nothing_of_a_removed_patient_is_left_in_the_tables(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.patient(1, first_name="Canary")), clinic.removed(patient=1))
    async with clinic.database.transaction(clinic.organization_id) as connection:
        left = "SELECT (SELECT count(*) FROM patients) + (SELECT count(*) FROM patient_documents)"
        assert await connection.scalar(text(left)) == 0


async def test_of_two_states_with_the_same_time_the_one_landed_later_is_newer(clinic: Clinic) -> None:
    first = clinic.patient(1, first_name="First")
    second = clinic.patient(1, first_name="Second").model_copy(update={"updated_at": first.updated_at})
    await clinic.hears(clinic.page(second), clinic.page(first))
    assert [patient["name"] for patient in await clinic.listed(active="all")] == ["Second"]
