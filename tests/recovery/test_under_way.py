"""A backup that is made in the middle of a sync is one moment of all services, and nothing of the sync is lost."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from tests.conftest import System
from tests.faults.practice import Practice
from tests.recovery.conftest import LARGER
from tests.recovery.steps import back_up, history, lose_the_queues, restore

pytestmark = pytest.mark.e2e

LATENCY_MS = 1500
"""Of the clinic's 125 pages eight come at a time."""
STATES = """
    SELECT count(landed.sequence), count(patients.sequence), count(analytics.sequence), count(*) FILTER (
        WHERE greatest(patients.sequence, analytics.sequence) > coalesce(landed.sequence, 0)
    )
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
    await _until(damaged, practice, lambda _, in_analytics: in_analytics > 0)
    with _hanging(damaged, "analytics"):
        await _until(damaged, practice, lambda in_patients, in_analytics: in_patients > in_analytics + 500)
        place = back_up(damaged)
    damaged.cliniko_settings(latency_ms=0)
    everything = practice.ended(sync_id, 300)["records_processed"]
    practice.agrees()

    lose_the_queues(damaged)
    restore(damaged, place)
    damaged.command("up", "--detach")
    landed, in_patients, in_analytics, ahead = await _states(damaged, practice.organization)
    assert 0 < in_analytics < in_patients <= landed < everything
    assert ahead == 0, "not of one moment"
    assert practice.progress(sync_id)["status"] == "failed"
    damaged.command("replay", practice.organization)
    damaged.command("sync", practice.organization)
    practice.agrees()
    assert await _states(damaged, practice.organization) == (everything, everything, everything, 0)
    assert history(practice)[1:] == [sync_id]


async def _until(system: System, practice: Practice, condition: Callable[[int, int], bool]) -> None:
    """Until it holds for what patients and analytics have."""
    async with asyncio.timeout(300):
        while not condition(*(await _states(system, practice.organization))[1:3]):
            await asyncio.sleep(0.2)


async def _states(system: System, organization: str) -> tuple[int, ...]:
    """Records that have landed, that patients and analytics have, and that one of the two knows better than sync."""
    services = {f"of_{name}": APPLIED.format(name) for name in ("patients", "analytics")}
    owner = await asyncpg.connect(system.owner_url)
    found = await owner.fetchrow(STATES.format(landed=LANDED, **services), organization)
    await owner.close()
    assert found
    return tuple(found)


@contextmanager
def _hanging(system: System, name: str) -> Iterator[None]:
    """While it does nothing, and its messages wait."""
    pid = int(system.process(name)["pid"]["number"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
