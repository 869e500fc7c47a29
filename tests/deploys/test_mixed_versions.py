"""Another release beside today's code: whoever is deployed first, a sync runs through, and answers are right."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractQueue
from tests.deploys.fleet import SERVICES, TODAY, Fleet, fleet
from tests.deploys.next_release import EVENT_FIELD, RECORD_FIELD
from tests.faults.practice import Practice

from contracts.events import BatchApplied, PatientsSynced

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(280)]
CONSUMERS = ("patients", "analytics", "admin")
STILL_OLD = {
    "nobody": (),
    "sync": ("sync",),
    "consumers": CONSUMERS,
    "gateway": ("gateway",),
    "all-but-gateway": ("sync", *CONSUMERS),
    "all-but-sync": ("gateway", *CONSUMERS),
}
DEPLOYED_FIRST = {"next-sync": ("sync",), "next-consumers": CONSUMERS}
CASES = (*STILL_OLD, *DEPLOYED_FIRST)
PATIENTS, RECEIPTS = PatientsSynced.routing_key("sync"), BatchApplied.routing_key("patients")
MORE_ANSWERS = (
    "patients/{}/active/summary",
    "patients/{}/patients/appointment-types/summary",
    "dashboard/{}",
    "sync/history/{}",
    "cliniko/status/{}",
)


@pytest.fixture(scope="module")
async def mixed(broker: str, next_release: Path) -> AsyncIterator[Fleet]:
    """Migrations come first, so whoever is at work meets the newest schema."""
    accounts = [f"MS0-{_clinic(case)}-au4={400 + n}:120" for n, case in enumerate(CASES)]
    async with fleet(broker, replicas=1, accounts=accounts) as deployed:
        await deployed.migrate(next_release)
        yield deployed


@pytest.mark.parametrize("still_old", STILL_OLD)
async def test_a_sync_runs_through_and_every_answer_is_right_while_old_is(
    mixed: Fleet, released: Path, still_old: str
) -> None:
    await _deploy(mixed, released, STILL_OLD[still_old])
    await asyncio.to_thread(_life_of_a_clinic, Practice(mixed.system, _clinic(still_old)))


@pytest.mark.parametrize("first", DEPLOYED_FIRST)
async def test_a_field_that_only_one_side_knows_is_sent_and_disturbs_nobody(
    mixed: Fleet, next_release: Path, first: str
) -> None:
    await _deploy(mixed, next_release, DEPLOYED_FIRST[first])
    async with _wire(mixed.plan.broker_url) as queue:
        await asyncio.to_thread(_life_of_a_clinic, Practice(mixed.system, _clinic(first)))
        sent = await _fields_in(queue)
    assert {PATIENTS, RECEIPTS} == sent.keys()
    assert (RECORD_FIELD in sent[PATIENTS]) == (first == "next-sync")
    assert (EVENT_FIELD in sent[RECEIPTS]) == (first == "next-consumers")


async def _deploy(mixed: Fleet, other: Path, services: tuple[str, ...]) -> None:
    """These with the other release's code, the rest with today's."""
    await mixed.stop_all()
    await asyncio.gather(*(mixed.start(f"{one}-1", other if one in services else TODAY) for one in SERVICES))
    await asyncio.to_thread(mixed.system.until_ready)


@asynccontextmanager
async def _wire(url: str) -> AsyncIterator[AbstractQueue]:
    """A queue that gets what patients and sync tell each other."""
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).declare_queue(exclusive=True)
        for key in (PATIENTS, RECEIPTS):
            await queue.bind("events", key)
        yield queue


async def _fields_in(queue: AbstractQueue) -> dict[str | None, set[str]]:
    """By routing key: those of the events, and of the records in them."""
    found: dict[str | None, set[str]] = defaultdict(set)
    while message := await queue.get(no_ack=True, fail=False):
        event = json.loads(message.body)
        found[message.routing_key].update(event, *event.get("records", ()))
    return found


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


def _clinic(case: str) -> str:
    return f"mixed-{case}".replace("-", "")
