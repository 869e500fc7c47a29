"""The limit that all processes keep together, on real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chassis.database import Database
from sync.adapters.ledger import SharedLedger
from sync.adapters.throttle import Throttle
from sync.domain.allowance import Urgency

ACCOUNT = bytes(32)
Processes = list[SharedLedger]


@pytest.fixture
async def processes(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Processes]:
    url = await new_database("sync")
    databases = [Database(url, "sync", connections=2) for _ in range(3)]
    yield [SharedLedger(database) for database in databases]
    for database in databases:
        await database.close()


async def test_processes_that_ask_at_once_get_the_limit_and_no_more(processes: Processes) -> None:
    asking = [process.take(ACCOUNT, [Urgency.ATTENDED] * 4, 30) for process in processes for _ in range(5)]
    grants = await asyncio.gather(*asking)
    assert sum(grant.granted for grant in grants) == 30
    assert all(50 < grant.wait_seconds <= 61 for grant in grants if grant.granted < 4)


async def test_a_pause_of_one_process_holds_the_others_back(processes: Processes) -> None:
    one, other, _ = processes
    await one.pause(ACCOUNT, 30)
    grant = await other.take(ACCOUNT, [Urgency.ATTENDED], 180)
    assert grant.granted == 0
    assert 25 < grant.wait_seconds <= 30
    assert (await other.take(b"x" * 32, [Urgency.ATTENDED], 180)).granted == 1


async def test_throttles_over_one_ledger_share_what_there_is(processes: Processes) -> None:
    turns = [
        asyncio.create_task(throttle.turn(Urgency.REQUESTED))
        for throttle in (Throttle(process, ACCOUNT, limit=20) for process in processes)
        for _ in range(10)
    ]
    done, waiting = await asyncio.wait(turns, timeout=2)
    assert len(done) == 19
    for turn in waiting:
        turn.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
