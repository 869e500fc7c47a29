"""The previous release beside today's code: whoever is deployed first, a sync runs through, and answers are right."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.deploys.fleet import SERVICES, TODAY, Fleet, fleet
from tests.faults.practice import Practice

from routiq.servers import rabbitmq

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(280)]
STILL_OLD = {
    "nobody": (),
    "sync": ("sync",),
    "consumers": ("patients", "analytics", "admin"),
    "gateway": ("gateway",),
    "all-but-gateway": ("sync", "patients", "analytics", "admin"),
    "all-but-sync": ("gateway", "patients", "analytics", "admin"),
}
MORE_ANSWERS = (
    "patients/{}/active/summary",
    "patients/{}/patients/appointment-types/summary",
    "dashboard/{}",
    "sync/history/{}",
    "cliniko/status/{}",
)


@pytest.fixture(scope="module")
async def mixed() -> AsyncIterator[Fleet]:
    home = Path(tempfile.mkdtemp(prefix="routiq-deploys-"))
    accounts = [f"MS0-{_clinic(still_old)}-au4={400 + n}:120" for n, still_old in enumerate(STILL_OLD)]
    broker = "installed" if rabbitmq.find() else "embedded"
    async with fleet(home, broker, replicas=1, accounts=accounts) as deployed:
        await deployed.migrate(TODAY)
        yield deployed
    shutil.rmtree(home)


@pytest.mark.parametrize("still_old", STILL_OLD)
async def test_a_sync_runs_through_and_every_answer_is_right_while_old_is(
    mixed: Fleet, released: dict[str, Path], still_old: str
) -> None:
    versions = {one: released["contracts"] if one in STILL_OLD[still_old] else TODAY for one in SERVICES}
    await mixed.stop_all()
    await asyncio.gather(*(mixed.start(f"{service}-1", root) for service, root in versions.items()))
    await asyncio.to_thread(mixed.system.until_ready)
    await asyncio.to_thread(_life_of_a_clinic, Practice(mixed.system, _clinic(still_old)))


def _life_of_a_clinic(practice: Practice) -> None:
    practice.connect()
    practice.run()
    practice.agrees()
    gone, *changed = sorted(practice.source().patients)[:6]
    practice.change("update", ids=changed, values={"first_name": "Other"})
    practice.change("insert", count=5, values={"first_name": "New", "last_name": "Here"})
    practice.change("archive", ids=[gone])
    practice.run()
    practice.agrees()
    for path in MORE_ANSWERS:
        status, content = practice.ask("GET", path.format(practice.organization))
        assert status == 200, (path, content)


def _clinic(still_old: str) -> str:
    return f"mixed-{still_old}".replace("-", "")
