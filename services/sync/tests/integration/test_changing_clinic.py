"""Runs over a clinic that changes, before them and while they read."""

from datetime import UTC, datetime, timedelta

import pytest
from services.sync.tests.changing_cliniko import nothing_happens
from services.sync.tests.reader import Reader, fill, known, same, shown
from sqlalchemy import text

from contracts.events import SyncMode


async def test_a_run_with_nothing_new_asks_eight_times_at_most_and_announces_no_record(reader: Reader) -> None:
    fill(reader.cliniko)
    await reader.sync()
    assert same(reader)
    reader.cliniko.asked.clear()
    await reader.sync("incremental")
    assert len(reader.cliniko.asked) <= 8
    assert reader.heard == 0


async def test_a_full_sweep_of_an_unchanged_clinic_writes_to_no_landed_row(reader: Reader) -> None:
    fill(reader.cliniko)
    await reader.sync()
    written = text("SELECT sum(xmin::text::bigint), sum(xmax::text::bigint), count(*) FROM landed")
    async with reader.database.transaction(reader.organization_id) as connection:
        before = (await connection.execute(written)).one()
    await reader.sync()
    async with reader.database.transaction(reader.organization_id) as connection:
        assert (await connection.execute(written)).one() == before
    assert reader.heard == 0


@pytest.mark.parametrize("bumps", [True, False])
async def test_what_is_archived_cancelled_or_deleted_is_followed_whether_or_not_it_counts_as_updated(
    reader: Reader, bumps: bool
) -> None:
    patients = fill(reader.cliniko, 12)
    await reader.sync()
    reader.cliniko.bumps = bumps
    appointments = list(reader.cliniko.lists["individual_appointments"])
    reader.cliniko.mark("patients", patients[0], "archived_at")
    for number, column in enumerate(("archived_at", "cancelled_at", "deleted_at")):
        reader.cliniko.mark("individual_appointments", appointments[number], column)
    await reader.sync("incremental")
    assert same(reader)


async def test_more_rows_of_one_second_than_a_page_holds_are_all_followed(reader: Reader) -> None:
    patients = fill(reader.cliniko, 30)
    await reader.sync()
    for _ in range(230):
        reader.cliniko.add_patient()
    reader.cliniko.pass_time(1)
    for patient in patients:
        reader.cliniko.change("patients", patient, first_name="Later")
    run = await reader.sync("incremental")
    assert same(reader)
    assert run.patients_landed >= 260


async def test_a_row_that_changes_while_changes_are_followed_is_not_lost(reader: Reader) -> None:
    patients = fill(reader.cliniko, 350)
    await reader.sync()
    for patient in patients:
        reader.cliniko.change("patients", patient, first_name="New")
        reader.cliniko.pass_time(2)

    async def move_one(answers: int) -> None:
        reader.cliniko.pass_time(1)
        reader.cliniko.change("patients", patients[answers], first_name="Moved")

    reader.cliniko.between = move_one
    await reader.sync("incremental")
    reader.cliniko.between = nothing_happens
    await reader.sync("incremental")
    assert same(reader)


async def test_a_record_erased_while_the_list_is_read_hides_no_other(reader: Reader) -> None:
    patients = fill(reader.cliniko, 450, each=0)
    reader.cliniko.asked.clear()
    erased = iter(patients)

    async def erase_one_add_one(_answers: int) -> None:
        if reader.cliniko.asked.count("patients") in (4, 5, 6):  # while its pages are under way
            reader.cliniko.erase("patients", next(erased))
            reader.cliniko.pass_time(1)
            reader.cliniko.add_patient()

    reader.cliniko.between = erase_one_add_one
    await reader.sync()
    assert shown(reader.cliniko, path="patients").items() <= known(reader, "patients").items()
    reader.cliniko.between = nothing_happens
    await reader.sync()
    assert same(reader)


@pytest.mark.parametrize("lie", [0.5, 0.0, 3.0])
async def test_a_count_that_lies_hides_and_removes_nothing(reader: Reader, lie: float) -> None:
    patients = fill(reader.cliniko, 320)
    await reader.sync()
    for patient in patients[:5]:
        reader.cliniko.erase("patients", patient)
    reader.cliniko.add_patient()
    reader.cliniko.lie = lambda _path, total: int(total * lie)
    await reader.sync()
    assert shown(reader.cliniko, path="patients").items() <= known(reader, "patients").items()
    assert len(known(reader, "patients")) == 321


async def test_how_many_patients_cliniko_reports_is_true_after_each_run_that_changed_one(reader: Reader) -> None:
    patients = fill(reader.cliniko, 120, each=0)
    reader.cliniko.lie = lambda _path, total: total + 30
    assert (await reader.sync()).patients_reported == 120
    reader.cliniko.lie = lambda _path, total: total
    for patient in patients[:20]:
        reader.cliniko.mark("patients", patient, "archived_at")
    assert (await reader.sync("incremental")).patients_reported == 100
    assert (await reader.sync()).patients_reported == 100


async def test_a_time_that_loses_its_fraction_is_not_an_older_one(reader: Reader) -> None:
    patient = reader.cliniko.add_patient(updated_at="2026-03-01T08:00:00.750Z")
    await reader.sync()
    reader.cliniko.lists["patients"][patient] |= {"updated_at": "2026-03-01T08:00:00Z", "first_name": "Zoe"}
    await reader.sync()
    assert reader.knows("patients")[str(patient)].first_name == "Zoe"


async def test_an_older_time_is_believed_once_no_late_answer_can_bring_it(reader: Reader) -> None:
    patient = reader.cliniko.add_patient()
    await reader.sync()
    before_the_clock_was_set_back = "2026-03-01T08:00:00Z"
    reader.cliniko.lists["patients"][patient] |= {"updated_at": before_the_clock_was_set_back, "first_name": "Zoe"}
    await reader.sync()
    assert reader.knows("patients")[str(patient)].first_name == "Ada"
    async with reader.database.transaction(reader.organization_id) as connection:
        await connection.execute(text("UPDATE landed SET landed_at = landed_at - interval '61 s'"))
    await reader.sync()
    assert reader.knows("patients")[str(patient)].first_name == "Zoe"


async def test_what_changes_after_cliniko_s_clock_was_set_back_is_followed(reader: Reader) -> None:
    reader.cliniko.now = datetime.now(UTC) + timedelta(hours=2)
    patients = fill(reader.cliniko, 5, each=0)
    await reader.sync()
    reader.cliniko.now = datetime.now(UTC)
    reader.cliniko.add_patient(first_name="Zoe")
    await reader.sync("incremental")
    assert len(known(reader, "patients")) == len(patients) + 1
    assert same(reader)


@pytest.mark.parametrize("sorts_by_id", [True, False])
async def test_what_is_erased_in_cliniko_is_removed_by_the_next_whole_sweep(reader: Reader, sorts_by_id: bool) -> None:
    reader.cliniko.sorts_by_id = sorts_by_id
    patients = fill(reader.cliniko, 120)
    await reader.sync()
    for patient in patients[:7]:
        reader.cliniko.erase("patients", patient)
    await reader.sync("incremental")
    assert len(known(reader, "patients")) == 120
    await reader.sync()
    assert same(reader)
    await reader.sync()
    assert reader.heard == 0


async def test_a_removed_record_that_is_there_again_is_there_again(reader: Reader) -> None:
    patients = fill(reader.cliniko, 20)
    await reader.sync()
    row = dict(reader.cliniko.lists["patients"][patients[0]])
    reader.cliniko.erase("patients", patients[0])
    await reader.sync()
    assert str(patients[0]) not in known(reader, "patients")
    reader.cliniko.lists["patients"][patients[0]] = {**row, "updated_at": "2020-01-01T00:00:00Z"}
    await reader.sync()
    assert same(reader)


async def test_a_loss_too_large_to_be_believed_waits_for_a_person(reader: Reader) -> None:
    patients = fill(reader.cliniko, 40, each=0)
    await reader.sync()
    for patient in patients[:11]:
        reader.cliniko.erase("patients", patient)
    held_back = await reader.sync()
    assert held_back.note is not None
    assert "11 of 40 patients" in held_back.note
    assert len(known(reader, "patients")) == 40
    confirmed = await reader.sync(confirm_removals=True)
    assert confirmed.note is None
    assert same(reader)


async def test_a_loss_too_large_does_not_keep_a_small_clinic_waiting(reader: Reader) -> None:
    patients = fill(reader.cliniko, 12, each=0)
    await reader.sync()
    for patient in patients[:10]:
        reader.cliniko.erase("patients", patient)
    await reader.sync()
    assert same(reader)


@pytest.mark.parametrize("mode", ["comprehensive", "incremental"])
async def test_a_record_that_could_not_be_understood_is_tried_again_by_the_next_run(
    reader: Reader, mode: SyncMode
) -> None:
    fill(reader.cliniko, 5)
    odd = reader.cliniko.add("individual_appointments", starts_at="soon")
    reader.cliniko.pass_time(3600)
    first = await reader.sync()
    assert first.records_rejected == 1
    again = await reader.sync(mode)
    assert again.records_rejected == 1
    link = {"links": {"self": "https://cliniko.example/v1/patients/1"}}
    healed = {"patient": link, "starts_at": "2026-04-01T10:00:00Z"}
    reader.cliniko.change("individual_appointments", odd, bump=False, **healed)
    assert (await reader.sync(mode)).records_rejected == 0
    assert same(reader)
