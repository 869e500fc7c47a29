"""PostgreSQL's server is lost in the middle of a sync, and its standby takes its place."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import System, running
from tests.faults.practice import Practice, own_cliniko
from tests.faults.standby import Pair, pair

from routiq.plan import DATABASE, WITH_A_DATABASE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
SERVICES = ("gateway", *WITH_A_DATABASE)
LOOK_SECONDS = 0.1
LEFT = " + ".join(f"(SELECT count(*) FROM {service}.outbox)" for service in WITH_A_DATABASE)
ON_RECORD = """
    SELECT count(*) FROM admin.audit_entries
    WHERE kind = 'records.read' AND details->>'route' LIKE '%/patients'
"""


@pytest.fixture
async def servers(server_home: Path) -> AsyncIterator[Pair]:
    async with pair(server_home / "pair", logs=server_home) as both:
        yield both


@pytest.fixture
def practice(servers: Pair) -> Iterator[Practice]:
    """A clinic, in a system that knows both servers."""
    with own_cliniko("MS0-moved-au4=7:320") as settings:
        with running("embedded", DATABASE_URL=servers.url, **settings) as system:
            yield Practice(system, "moved")


async def test_a_standby_takes_over_and_all_that_was_answered_is_there(servers: Pair, practice: Practice) -> None:
    await asyncio.to_thread(practice.connect)
    await asyncio.to_thread(practice.run)
    processes = _processes(practice.system)
    with _reading(practice) as answers:
        practice.system.cliniko_settings(latency_ms=500)
        sync_id = await asyncio.to_thread(practice.start)
        await _until(lambda: practice.progress(sync_id)["records_processed"] > 0)
        await servers.lose_the_primary()
        await _until(lambda: answers[503] > 10)
        assert await _is_standby(servers), "it answers, and takes no change"
        await servers.promote()
        practice.system.cliniko_settings(latency_ms=0)
        ended = await asyncio.to_thread(practice.ended, sync_id, 150)
    assert ended["status"] == "completed", ended
    assert answers.keys() == {200, 503}
    await _each_list_is_on_record(servers, answers[200])
    await asyncio.to_thread(practice.agrees)
    assert _processes(practice.system) == processes, "none was started anew"


def _processes(system: System) -> list[int]:
    return [system.process(name)["pid"]["number"] for name in SERVICES]


@contextmanager
def _reading(practice: Practice) -> Iterator[Counter[int]]:
    """One client asks for the patients again and again; how often it had which answer."""
    answers, over = Counter[int](), threading.Event()

    def ask() -> None:
        while not over.wait(LOOK_SECONDS):
            answers[practice.ask("GET", f"patients/{practice.organization}/patients")[0]] += 1

    reader = threading.Thread(target=ask)
    reader.start()
    try:
        yield answers
    finally:
        over.set()
        reader.join()


async def _until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(happened):
            await asyncio.sleep(LOOK_SECONDS)


async def _is_standby(servers: Pair) -> bool:
    """Whoever is answered at the address that the services have."""
    owner = await asyncpg.connect(servers.url)
    try:
        return bool(await owner.fetchval("SELECT pg_is_in_recovery()"))
    finally:
        await owner.close()


async def _each_list_is_on_record(servers: Pair, lists: int) -> None:
    """Once each; once more where the primary was lost between the commit of the one in hand and its answer."""
    owner = await asyncpg.connect(servers.standby.url(DATABASE))
    async with asyncio.timeout(60):
        while await owner.fetchval(f"SELECT {LEFT}"):
            await asyncio.sleep(LOOK_SECONDS)
        while (found := await owner.fetchval(ON_RECORD)) < lists:
            await asyncio.sleep(LOOK_SECONDS)
    await owner.close()
    assert found in (lists, lists + 1)
