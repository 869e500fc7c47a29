"""A backup that is made in the middle of a sync is one moment of all services, and nothing of the sync is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import pytest
from tests.conftest import System
from tests.faults.practice import Practice
from tests.recovery.conftest import LARGER
from tests.recovery.steps import back_up, history, lose_the_queues, restore

pytestmark = pytest.mark.e2e

LATENCY_MS = 1500
"""Of the clinic's 125 pages eight come at a time."""
LOOKED_AT = "SELECT patients_landed + appointments_landed FROM sync.runs WHERE sync_id = $1 AND status = 'running'"
STATES = """
    SELECT count(*) AS landed,
        count(*) FILTER (WHERE patients.sequence = landed.sequence) AS in_patients,
        count(*) FILTER (WHERE analytics.sequence = landed.sequence) AS in_analytics
    FROM ({landed}) AS landed
    FULL JOIN ({of_patients}) AS patients USING (is_visit, cliniko_id)
    FULL JOIN ({of_analytics}) AS analytics USING (is_visit, cliniko_id)
"""
LANDED = """
    SELECT record ? 'cliniko_appointment_id' AS is_visit, sequence,
        coalesce(record ->> 'cliniko_appointment_id', record ->> 'cliniko_patient_id') AS cliniko_id
    FROM sync.landed WHERE organization_id = $1 AND record ? 'cliniko_patient_id'
"""
APPLIED = """
    SELECT false AS is_visit, sequence, cliniko_patient_id AS cliniko_id FROM {0}.patients WHERE organization_id = $1
    UNION ALL SELECT true, sequence, cliniko_appointment_id FROM {0}.appointments WHERE organization_id = $1
"""


async def test_what_a_sync_had_under_way_is_neither_lost_nor_doubled(damaged: System) -> None:
    practice = Practice(damaged, LARGER)
    practice.connect()
    damaged.cliniko_settings(latency_ms=LATENCY_MS)
    sync_id = practice.start()
    await _until_looked_at(damaged, sync_id, 800)
    with _hanging(damaged, "analytics"):
        await _until_looked_at(damaged, sync_id, 1600)
        place = back_up(damaged)
    damaged.cliniko_settings(latency_ms=0)
    everything = practice.ended(sync_id, 120)["records_processed"]
    practice.agrees()

    lose_the_queues(damaged)
    restore(damaged, place)
    damaged.command("up", "--detach")
    landed, in_patients, in_analytics = await _states(damaged, practice.organization)
    assert 0 < in_analytics < in_patients <= landed < everything
    assert practice.progress(sync_id)["status"] == "failed"
    damaged.command("replay", practice.organization)
    damaged.command("sync", practice.organization)
    practice.agrees()
    assert await _states(damaged, practice.organization) == (everything,) * 3
    assert history(practice)[1:] == [sync_id]


async def _until_looked_at(system: System, sync_id: str, records: int) -> None:
    """Until the run, which goes on, has landed so many."""
    async with _owner(system) as owner:
        async with asyncio.timeout(120):
            while (await owner.fetchval(LOOKED_AT, sync_id) or 0) < records:
                await asyncio.sleep(0.1)


async def _states(system: System, organization: str) -> tuple[int, ...]:
    """Records that have landed, and in how many of them each service agrees; one that knows more adds to the first."""
    services = {f"of_{name}": APPLIED.format(name) for name in ("patients", "analytics")}
    async with _owner(system) as owner:
        found = await owner.fetchrow(STATES.format(landed=LANDED, **services), organization)
    assert found
    return tuple(found)


@asynccontextmanager
async def _owner(system: System) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(system.owner_url)
    yield connection
    await connection.close()


@contextmanager
def _hanging(system: System, name: str) -> Iterator[None]:
    """While it does nothing, and its messages wait."""
    pid = int(system.process(name)["pid"]["number"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
