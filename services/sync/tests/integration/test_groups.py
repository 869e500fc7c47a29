"""Appointments of groups are those of their attendees, whatever happens to either."""

import pytest
from services.sync.tests.reader import Reader, fill_with_a_class


async def test_what_happens_to_a_group_and_its_attendees_is_followed(reader: Reader) -> None:
    pilates = fill_with_a_class(reader.cliniko)
    one, other = map(str, pilates.attendees)
    run = await reader.sync()
    assert run.appointments_landed == len(reader.knows("appointments")) == 17
    reader.cliniko.change("group_appointments", pilates.group, starts_at="2026-05-01T10:00:00Z")
    reader.cliniko.mark("attendees", pilates.attendees[0], "cancelled_at")
    await reader.sync("incremental")
    heard = reader.knows("appointments")
    assert [heard[each].starts_at.month for each in (one, other)] == [5, 5]
    assert [bool(heard[each].cancelled_at) for each in (one, other)] == [True, False]


async def test_a_class_that_is_shown_again_unchanged_leads_to_no_request(reader: Reader) -> None:
    pilates = fill_with_a_class(reader.cliniko)
    await reader.sync()
    for _ in range(2):
        reader.cliniko.asked.clear()
        await reader.sync("incremental")
        assert len(reader.cliniko.asked) == 8
    reader.cliniko.change("group_appointments", pilates.group, bump=False, starts_at="2026-05-01T10:00:00Z")
    await reader.sync("incremental")
    assert [reader.knows("appointments")[str(each)].starts_at.month for each in pilates.attendees] == [5, 5]


async def test_an_attendee_who_is_erased_is_removed_and_the_individual_appointments_stay(reader: Reader) -> None:
    pilates = fill_with_a_class(reader.cliniko)
    await reader.sync()
    reader.cliniko.erase("attendees", pilates.attendees[0])
    await reader.sync()
    assert str(pilates.attendees[0]) not in reader.knows("appointments")
    assert len(reader.knows("appointments")) == 16


@pytest.mark.parametrize("lists", [{"group_appointments"}, {"attendees"}, {"group_appointments", "attendees"}])
async def test_lists_the_key_may_not_see_fail_no_run_and_remove_nothing(reader: Reader, lists: set[str]) -> None:
    pilates = fill_with_a_class(reader.cliniko)
    await reader.sync()
    reader.cliniko.forbidden |= {*lists, "practitioners"}
    await reader.sync()
    reader.cliniko.pass_time(3600)
    reader.cliniko.change("group_appointments", pilates.group, notes="Bring a mat")
    reader.cliniko.change("attendees", pilates.attendees[0], notes="Has one")
    await reader.sync("incremental")
    assert len(reader.knows("appointments")) == 17
