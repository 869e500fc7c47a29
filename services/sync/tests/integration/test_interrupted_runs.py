"""Runs whose worker dies, or that a person cancels, at any page."""

from collections.abc import Awaitable, Callable

import pytest
from services.sync.tests.changing_cliniko import nothing_happens
from services.sync.tests.reader import Reader, fill, known, same
from sqlalchemy import text

from sync.handlers.pull import TakenOver
from sync.handlers.walk import PAGES_AT_ONCE


async def test_a_run_goes_on_with_the_page_at_which_its_worker_died(reader: Reader) -> None:
    fill(reader.cliniko, 2050, each=0)
    sync_id = await reader.start()
    reader.cliniko.between = die_after(reader, 20)
    with pytest.raises(TakenOver):
        await reader.pull(sync_id)
    asked = reader.cliniko.asked.count("patients")
    reader.cliniko.between = nothing_happens
    reader.cliniko.asked.clear()
    await take_over(reader, sync_id)
    assert same(reader)
    again = reader.cliniko.asked.count("patients")
    assert again < 22
    assert asked + again <= 27 + PAGES_AT_ONCE  # with the last, for how many there are


async def test_an_incremental_run_goes_on_where_its_worker_died(reader: Reader) -> None:
    patients = fill(reader.cliniko, 650, each=0)
    await reader.sync()
    for patient in patients:
        reader.cliniko.change("patients", patient, first_name="New")
        reader.cliniko.pass_time(1)
    reader.cliniko.asked.clear()
    sync_id = await reader.start("incremental")
    reader.cliniko.between = die_after(reader, 9)
    with pytest.raises(TakenOver):
        await reader.pull(sync_id)
    reader.cliniko.between = nothing_happens
    reader.cliniko.asked.clear()
    await take_over(reader, sync_id)
    assert same(reader)
    assert reader.cliniko.asked.count("patients") <= 7


async def test_a_cancelled_run_stops_within_a_page_and_leaves_what_it_landed(reader: Reader) -> None:
    fill(reader.cliniko, 2050, each=0)
    sync_id = await reader.start()
    reader.cliniko.between = after(8, reader, "UPDATE runs SET status = 'cancelled'")
    with pytest.raises(TakenOver):
        await reader.pull(sync_id)
    await reader.listen()
    run = await reader.run(sync_id)
    assert run.status == "cancelled"
    assert 0 < run.patients_landed == len(known(reader, "patients")) < 2050
    assert len(reader.cliniko.asked) <= 8 + 2 * PAGES_AT_ONCE
    await reader.sync()
    assert same(reader)


def after(answers: int, reader: Reader, statement: str) -> Callable[[int], Awaitable[None]]:
    """Something happens once to the run's row, after so many answers."""
    waiting = [statement]

    async def happens(answered: int) -> None:
        if answered >= answers and waiting:
            waiting.clear()
            async with reader.database.transaction(reader.organization_id) as connection:
                await connection.execute(text(statement))

    return happens


def die_after(reader: Reader, answers: int) -> Callable[[int], Awaitable[None]]:
    """The worker loses its run, as if it had been silent for long."""
    gone = "UPDATE runs SET worker = NULL, heartbeat_at = '-infinity' WHERE status = 'running'"
    return after(answers, reader, gone)


async def take_over(reader: Reader, sync_id: str) -> None:
    await reader.pull(sync_id)
    await reader.listen()
    await reader.listen()
    assert (await reader.run(sync_id)).status == "completed"
