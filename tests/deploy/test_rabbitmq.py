"""The deployed RabbitMQ: everything is there from the start, and each user may do its own work and nothing else."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, ProbableAuthenticationError
from aiormq.exceptions import ChannelAccessRefused
from tests.deploy.rabbitmq import DEPLOYED, USERS, DeployedBroker, new_passwords

from contracts.routes import ROUTES, announced_by, received_by
from routiq.processes import running

QUEUES = {route.queue(consumer): consumer for route in ROUTES for consumer in route.consumers}
Attempt = Callable[[AbstractChannel], Awaitable[object]]
RETRIES = ("retry.1s", "retry.10s", "retry.60s")


@pytest.fixture(scope="module")
async def broker(server_home: Path) -> AsyncIterator[DeployedBroker]:
    home = server_home / "deployed-permissions"
    home.mkdir()
    deployed = DeployedBroker(home / "rabbitmq")
    async with running(*deployed.programs(), logs=home) as (_, node):
        yield deployed
        await node.kill()


@asynccontextmanager
async def channel_of(broker: DeployedBroker, user: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(broker.url(user)) as connection:
        yield await connection.channel(on_return_raises=True)


def publishing(exchange: str, key: str) -> Attempt:
    """An attempt to publish this way."""
    return lambda channel: publish(channel, exchange, key)


async def publish(channel: AbstractChannel, exchange: str, key: str) -> None:
    target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
    await target.publish(aio_pika.Message(b"{}"), key, mandatory=True, timeout=10)


async def refused(broker: DeployedBroker, user: str, attempt: Attempt) -> bool:
    """Whether RabbitMQ says ACCESS_REFUSED; on a channel of its own, for that ends it."""
    async with channel_of(broker, user) as channel:
        try:
            await attempt(channel)
        except ChannelAccessRefused:
            return True
    return False


def test_the_definitions_are_those_of_the_route_map(tmp_path: Path) -> None:
    made = tmp_path / "definitions.json"
    subprocess.run([sys.executable, str(DEPLOYED / "generate.py"), str(made)], check=True)
    assert made.read_text() == (DEPLOYED / "definitions.json").read_text(), "run deploy/rabbitmq/generate.py"


def test_no_password_is_in_the_definitions_and_none_may_be_missing(tmp_path: Path) -> None:
    script = [str(DEPLOYED / "start.sh"), "true"]
    given = {**new_passwords(), "SYNC_AMQP_PASSWORD": "", "PATH": "/usr/bin:/bin"}
    target = {"RABBITMQ_DEFINITIONS_FILE": str(tmp_path / "made.json")}
    ended = subprocess.run(script, env={**given, **target}, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "SYNC_AMQP_PASSWORD" in ended.stderr
    assert not list(tmp_path.iterdir())


async def test_passwords_are_kept_as_hashes_where_only_the_broker_reads(broker: DeployedBroker) -> None:
    written = broker.definitions.read_text()
    assert broker.definitions.stat().st_mode & 0o077 == 0
    assert "@" not in written
    assert not any(password in written for password in broker.passwords.values())


async def test_nobody_comes_in_with_a_password_that_everybody_knows(broker: DeployedBroker) -> None:
    with pytest.raises(ProbableAuthenticationError):
        await aio_pika.connect(broker.guest_url)


async def test_publishers_wait_by_the_containers_memory_whatever_the_machine_has(broker: DeployedBroker) -> None:
    assert await asyncio.to_thread(broker.memory_limit) == 600 * 10**6


@pytest.mark.parametrize("service", USERS)
async def test_a_service_publishes_its_own_events_and_no_others(broker: DeployedBroker, service: str) -> None:
    async with channel_of(broker, service) as channel:
        for route in announced_by(service):
            await publish(channel, "events", route.key)
    for route in ROUTES:
        if route.producer != service:
            assert await refused(broker, service, publishing("events", route.key)), route.key


@pytest.mark.parametrize("service", USERS)
async def test_a_service_reads_its_own_queues_and_no_others(broker: DeployedBroker, service: str) -> None:
    own = {route.queue(service) for route in received_by(service)}
    dead = {f"{queue}.dead" for queue in QUEUES}
    allowed = own | (dead if service == "admin" else set())
    for queue in {*QUEUES, *dead, *RETRIES}:

        async def read(channel: AbstractChannel, queue: str = queue) -> None:
            await (await channel.get_queue(queue, ensure=False)).get(fail=False)

        assert await refused(broker, service, read) == (queue not in allowed), queue


@pytest.mark.parametrize("service", USERS)
async def test_nothing_reaches_another_services_queue_by_a_detour(broker: DeployedBroker, service: str) -> None:
    """Neither as a retry, which comes back to the queue it names, nor as a dead letter, nor directly."""
    for queue, consumer in QUEUES.items():
        for exchange, key in (*((retry, queue) for retry in RETRIES), ("dead-letters", f"{queue}.dead")):
            stopped = await refused(broker, service, publishing(exchange, key))
            assert stopped == (consumer != service), (exchange, key)
        directly = await refused(broker, service, publishing("", queue))
        assert directly == (service != "admin"), queue


@pytest.mark.parametrize("service", USERS)
async def test_a_service_declares_binds_and_removes_nothing(broker: DeployedBroker, service: str) -> None:
    async def bind(channel: AbstractChannel) -> None:
        own = [route.queue(service) for route in received_by(service)]
        queue = await channel.get_queue(own[0] if own else "admin.gateway.access.refused.v1", ensure=False)
        await queue.bind("events", "sync.#")

    attempts: list[Attempt] = [
        bind,
        lambda channel: channel.declare_queue("more"),
        lambda channel: channel.declare_queue(f"{service}.own", exclusive=True),
        lambda channel: channel.declare_exchange("more"),
        lambda channel: channel.declare_exchange("events", aio_pika.ExchangeType.TOPIC, durable=True),
        lambda channel: channel.queue_delete("patients.sync.patients.synced.v1"),
        lambda channel: channel.exchange_delete("events"),
    ]
    for attempt in attempts:
        assert await refused(broker, service, attempt)


async def test_a_password_is_changed_while_the_broker_runs(tmp_path: Path) -> None:
    """Connections stay; who comes anew needs the new password."""
    broker, changed = DeployedBroker(tmp_path / "rabbitmq"), new_passwords()
    async with running(*broker.programs(), logs=tmp_path) as (_, node):
        async with channel_of(broker, "sync") as channel:
            await asyncio.to_thread(broker.change_password, "sync", changed)
            await publish(channel, "events", announced_by("sync")[0].key)
        with pytest.raises(ProbableAuthenticationError):
            await aio_pika.connect(broker.url("sync"))
        await (await aio_pika.connect(broker.url("sync", changed))).close()
        await node.kill()


async def test_definitions_are_imported_while_the_broker_runs(broker: DeployedBroker) -> None:
    """For a route that is new: its queue is there before the services that need it."""
    missing = ROUTES[-1].queue(ROUTES[-1].consumers[0])
    async with await aio_pika.connect(broker.administrator_url) as connection:
        channel = await connection.channel(on_return_raises=True)
        await channel.queue_delete(missing)
        with pytest.raises(DeliveryError):
            await publish(channel, "events", ROUTES[-1].key)
        await asyncio.to_thread(broker.import_definitions)
        await publish(channel, "events", ROUTES[-1].key)


async def test_a_changed_password_holds_after_a_restart_and_messages_stay(tmp_path: Path) -> None:
    first = DeployedBroker(tmp_path / "rabbitmq")
    async with running(*first.programs(), logs=tmp_path):
        async with channel_of(first, "gateway") as channel:
            await publish(channel, "events", announced_by("gateway")[0].key)
    again = DeployedBroker(first.home, new_passwords(), first.ports)
    async with running(*again.programs(), logs=tmp_path) as (_, node):
        with pytest.raises(ProbableAuthenticationError):
            await aio_pika.connect(again.url("admin", first.passwords))
        async with channel_of(again, "admin") as channel:
            queue = await channel.get_queue(announced_by("gateway")[0].queue("admin"), ensure=False)
            assert await _gets(queue)
        await node.kill()


async def _gets(queue: aio_pika.abc.AbstractQueue) -> bool:
    for _ in range(100):
        if await queue.get(fail=False):
            return True
        await asyncio.sleep(0.1)
    return False
