"""Every replica is restarted while clinics read and sync: no request fails, no event is lost or counted twice."""

import asyncio
from collections import Counter

import asyncpg
import pytest
from tests.deploys.fleet import SERVICES, TODAY, fleet
from tests.deploys.load import Load
from tests.faults.practice import Practice

from routiq.plan import WITH_A_DATABASE
from routiq.settings import PLATFORM_ORGANIZATION

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(280)]
CLINICS = tuple(f"rolling{number}" for number in range(2))
LEFT = " + ".join(f"(SELECT count(*) FROM {service}.outbox)" for service in WITH_A_DATABASE)
ON_RECORD = """
    SELECT count(*) FROM admin.audit_entries
    WHERE organization_id = $1 AND kind = 'records.read' AND details->>'route' LIKE '%/patients'
"""


async def test_two_replicas_of_every_service_are_restarted_under_load_and_nobody_notices(broker: str) -> None:
    accounts = [f"MS0-{clinic}-au4={300 + number}:150" for number, clinic in enumerate(CLINICS)]
    async with fleet(broker, replicas=2, accounts=accounts) as deployed:
        await deployed.migrate(TODAY)
        await asyncio.gather(*(deployed.start(replica) for replica in deployed.replicas))
        practices = [Practice(deployed.system, clinic) for clinic in CLINICS]
        await asyncio.to_thread(deployed.system.until_ready)
        for practice in practices:
            await asyncio.to_thread(practice.connect)
            await asyncio.to_thread(practice.run)
        load = Load(practices)
        with load.applied() as seen:
            for service in SERVICES:
                await deployed.deploy(service, TODAY)
                assert not seen.failures, (service, seen.failures)
        assert not seen.failures, seen.failures
        assert seen.reads > 100
        assert len(seen.runs) >= len(CLINICS)
        await _each_list_is_on_record_once(deployed.plan.owner_url, seen.lists)
        for practice in practices:
            await asyncio.to_thread(practice.agrees)
        letters = await asyncio.to_thread(deployed.system.get, "/api/v1/admin/dead-letters", PLATFORM_ORGANIZATION)
        assert not letters["queues"], letters


async def _each_list_is_on_record_once(url: str, lists: Counter[str]) -> None:
    """What one service announced while it was restarted, another has: all of it, and nothing twice."""
    owner = await asyncpg.connect(url)
    async with asyncio.timeout(30):
        while await owner.fetchval(f"SELECT {LEFT}"):
            await asyncio.sleep(0.2)
        while (found := Counter({one: await owner.fetchval(ON_RECORD, one) for one in lists})) < lists:
            await asyncio.sleep(0.2)
    await owner.close()
    assert found == lists
