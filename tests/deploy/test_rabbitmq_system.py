"""The whole system on the deployed RabbitMQ, each service with its own user, which may declare nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika
import asyncpg
import pytest
from tests.conftest import HARBOUR, RIDGE, System
from tests.conftest import running as system_running
from tests.deploy.rabbitmq import USERS, DeployedBroker

from contracts.events import RecordsRemoved
from routiq.processes import running

PATIENCE_SECONDS = 60.0
FIGURES = "admin.analytics.figures.counted.v1"

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
async def broker(server_home: Path) -> AsyncIterator[DeployedBroker]:
    home = server_home / "deployed-system"
    home.mkdir()
    deployed = DeployedBroker(home / "rabbitmq")
    async with running(*deployed.programs(), logs=home) as (_, node):
        yield deployed
        await node.kill()


@pytest.fixture(scope="module")
def system(broker: DeployedBroker) -> Iterator[System]:
    own = {f"{name.upper()}_AMQP_URL": broker.url(name) for name in USERS}
    # Whoever took the common address would get nowhere: it is nobody's.
    with system_running("installed", AMQP_URL=broker.guest_url, AMQP_DECLARE="false", **own) as started:
        yield started


async def publish(broker: DeployedBroker, exchange: str, key: str, body: bytes, message_id: UUID) -> None:
    async with await aio_pika.connect(broker.administrator_url) as connection:
        channel = await connection.channel(on_return_raises=True)
        target = await channel.get_exchange(exchange) if exchange else channel.default_exchange
        await target.publish(aio_pika.Message(body, message_id=str(message_id)), key, mandatory=True)


async def until(found: str, *command: str, system: System) -> str:
    """What the command prints, once it prints this."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while found not in (said := (await asyncio.to_thread(system.command, *command)).stdout):
        assert time.monotonic() < deadline, said
        await asyncio.sleep(1)
    return said


def test_a_sync_lands_in_both_consumers(system: System) -> None:
    """It would not be completed before both had answered."""
    sync_id = system.start_sync(HARBOUR)
    assert system.until_completed(HARBOUR, sync_id)["status"] == "completed"
    total = system.get(f"/api/v1/dashboard/{HARBOUR}", HARBOUR)["summary"]["total_patients"]
    assert total > 0
    assert system.get(f"/api/v1/patients/{HARBOUR}/patients?limit=1&active=all", HARBOUR)["total_count"] == total


async def test_the_gateway_tells_of_who_was_turned_away(system: System) -> None:
    answer = await asyncio.to_thread(system.call, "GET", f"/api/v1/dashboard/{RIDGE}", HARBOUR)
    assert answer.status_code == 403
    owner = await asyncpg.connect(system.owner_url)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(owner.close)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await owner.fetchval("SELECT count(*) FROM admin.inbox WHERE consumer = 'on_access_refused'"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("service", ["patients", "analytics"])
async def test_a_message_that_fails_comes_back_to_its_queue(
    system: System, broker: DeployedBroker, service: str
) -> None:
    event = RecordsRemoved(organization_id=HARBOUR, sync_id=None)
    owner = await asyncpg.connect(system.owner_url)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(owner.close)
        await owner.execute(f"REVOKE INSERT ON {service}.inbox FROM routiq_{service}")
        await publish(broker, "events", event.routing_key("sync"), event.model_dump_json().encode(), event.event_id)
        await _until_retried(system, service)
        await owner.execute(f"GRANT INSERT ON {service}.inbox TO routiq_{service}")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await owner.fetchval(f"SELECT 1 FROM {service}.inbox WHERE event_id = $1", event.event_id):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.5)


async def _until_retried(system: System, service: str) -> None:
    deadline, log = time.monotonic() + PATIENCE_SECONDS, system.home / ".routiq" / "logs" / f"{service}.log"
    while '"retried"' not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        await asyncio.sleep(0.2)


async def test_operators_work_on_dead_letters(system: System, broker: DeployedBroker) -> None:
    poison = uuid4()
    await publish(broker, "", FIGURES, b'{"first_name": "Canary"}', poison)
    listed = await until(str(poison), "dead-letters", "list", FIGURES, system=system)
    assert "ValidationError" in listed
    assert str(poison) in system.command("dead-letters", "show", FIGURES, str(poison)).stdout
    redriven = system.command("dead-letters", "redrive", FIGURES, str(poison), check=False)
    assert "dead again" in redriven.stdout
    drop = ("dead-letters", "drop", FIGURES, str(poison), "--reason", "unreadable", "--yes")
    assert "1 dropped." in system.command(*drop).stdout
    assert "There are no dead letters." in system.command("dead-letters", "list").stdout


def test_nobody_was_refused_anything(system: System) -> None:
    """What a service may not do it does not try: the permissions are the narrowest, and they suffice."""
    for service in USERS:
        log = (system.home / ".routiq" / "logs" / f"{service}.log").read_text()
        assert "AccessRefused" not in log.replace("on_access_refused", "").replace("AccessRefusedEvent", "")
        assert "ACCESS_REFUSED" not in log
