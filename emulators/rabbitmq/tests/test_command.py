"""The emulator as a process: what RabbitMQ has no counterpart for, or has it by other means."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelNotFoundEntity, ProbableAuthenticationError
from pamqp.common import FieldTable

from rabbitmq_emulator.__main__ import LOGIN_VARIABLE

Run = Callable[..., subprocess.Popen[str]]

QUORUM: FieldTable = {"x-queue-type": "quorum"}
QUEUES: dict[str, Any] = {
    "classic": {"durable": True},
    "quorum": {"durable": True, "arguments": QUORUM},
    "fleeting": {"durable": False},
    "deleted": {"durable": True},
}


@pytest.fixture
def run() -> Iterator[Run]:
    started: list[subprocess.Popen[str]] = []

    def run(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rabbitmq_emulator", "--port", "0", *options]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return next(word for word in process.stdout.readline().split() if word.startswith("amqp://"))


@asynccontextmanager
async def channel_to(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel(publisher_confirms=True, on_return_raises=True)


async def put(channel: AbstractChannel, queue: str, body: bytes, *, persistent: bool = True) -> None:
    mode = aio_pika.DeliveryMode.PERSISTENT if persistent else aio_pika.DeliveryMode.NOT_PERSISTENT
    await channel.default_exchange.publish(aio_pika.Message(body, delivery_mode=mode), queue, mandatory=True)


async def bodies(channel: AbstractChannel, queue: str) -> list[bytes]:
    found, source = [], await channel.get_queue(queue)
    while message := await source.get(fail=False, no_ack=True):
        found.append(message.body)
    return found


def test_it_says_what_it_is_and_stops_cleanly_on_sigterm(run: Run) -> None:
    process = run()
    assert process.stdout
    assert "development broker" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


async def test_stopping_tells_the_clients(run: Run) -> None:
    process = run()
    reasons: asyncio.Queue[BaseException | None] = asyncio.Queue()
    async with await aio_pika.connect(url_of(process)) as connection:
        connection.close_callbacks.add(lambda _connection, reason: reasons.put_nowait(reason))
        process.send_signal(signal.SIGINT)
        assert "CONNECTION_FORCED" in str(await asyncio.wait_for(reasons.get(), timeout=10))
    assert await asyncio.to_thread(process.wait, 10) == 0


def test_a_taken_port_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = run("--port", str(port))
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == f"rabbitmq_emulator: cannot listen on 127.0.0.1:{port}: Address already in use\n"


async def test_the_user_and_the_password_have_to_be_right(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOGIN_VARIABLE, "right")
    address = url_of(run("--user", "routiq")).removeprefix("amqp://")
    async with channel_to(f"amqp://routiq:right@{address}"):
        pass
    for login in ("routiq:wrong", "guest:right", "guest:guest"):
        with pytest.raises(ProbableAuthenticationError, match="ACCESS_REFUSED"):
            await aio_pika.connect(f"amqp://{login}@{address}")


async def test_each_virtual_host_is_a_namespace_of_its_own(run: Run) -> None:
    url = url_of(run())
    async with channel_to(f"{url}/one") as one, channel_to(f"{url}/two") as two:
        for channel, body in ((one, b"1"), (two, b"2")):
            await channel.declare_queue("same", durable=True)
            await put(channel, "same", body)
        assert [await bodies(channel, "same") for channel in (one, two)] == [[b"1"], [b"2"]]


async def test_a_killed_broker_finds_its_topology_and_durable_messages_again(run: Run, tmp_path: Path) -> None:
    journal = ("--journal", str(tmp_path / "broker.sqlite"))
    process = run(*journal)
    async with channel_to(url_of(process)) as channel:
        exchange = await channel.declare_exchange("events", "topic", durable=True)
        for name, options in QUEUES.items():
            await (await channel.declare_queue(name, **options)).bind(exchange, "a.#")
            await put(channel, name, b"persistent")
            await put(channel, name, b"transient", persistent=False)
        await channel.queue_delete("deleted")
        process.kill()
    async with channel_to(url_of(run(*journal))) as channel:
        exchange = await channel.get_exchange("events")
        await exchange.publish(aio_pika.Message(b"new"), "a.b", mandatory=True)
        assert await bodies(channel, "classic") == [b"persistent", b"new"]
        assert await bodies(channel, "quorum") == [b"persistent", b"transient", b"new"]
        for gone in ("fleeting", "deleted"):
            with pytest.raises(ChannelNotFoundEntity):
                await channel.get_queue(gone)
            await channel.reopen()


@pytest.mark.parametrize("kind", ["classic", "quorum"])
async def test_after_a_kill_unsettled_messages_come_back_redelivered_and_settled_ones_do_not(
    run: Run, tmp_path: Path, kind: str
) -> None:
    journal = ("--journal", str(tmp_path / "broker.sqlite"))
    process = run(*journal)
    async with channel_to(url_of(process)) as channel:
        queue = await channel.declare_queue("work", durable=True, arguments={"x-queue-type": kind})
        for body in (b"held", b"acknowledged", b"rejected", b"untouched"):
            await put(channel, "work", body)
        _held, acknowledged, rejected = [await queue.get() for _ in range(3)]
        await acknowledged.ack()
        await rejected.reject()
        await channel.declare_queue("work", passive=True)  # its answer means that the settlements are in
        process.kill()
    async with channel_to(url_of(run(*journal))) as channel:
        found = [await (await channel.get_queue("work")).get() for _ in range(2)]
        assert [(one.body, one.redelivered) for one in found] == [(b"held", True), (b"untouched", False)]
        assert await bodies(channel, "work") == []


async def test_whatever_was_confirmed_before_a_kill_is_there_after_it(run: Run, tmp_path: Path) -> None:
    journal = ("--journal", str(tmp_path / "broker.sqlite"))
    process = run(*journal)
    confirmed: list[bytes] = []

    async def publish(channel: AbstractChannel, body: bytes) -> None:
        await put(channel, "burst", body)
        confirmed.append(body)
        if len(confirmed) == 500:
            process.kill()

    async with channel_to(url_of(process)) as channel:
        await channel.declare_queue("burst", durable=True, arguments=QUORUM)
        burst = (publish(channel, b"%d" % number) for number in range(5000))
        await asyncio.gather(*burst, return_exceptions=True)
    assert len(confirmed) >= 500
    async with channel_to(url_of(run(*journal))) as channel:
        assert set(confirmed) <= set(await bodies(channel, "burst"))


async def test_a_delayed_message_survives_a_kill_and_still_comes_back(run: Run, tmp_path: Path) -> None:
    journal = ("--journal", str(tmp_path / "broker.sqlite"))
    process = run(*journal)
    async with channel_to(url_of(process)) as channel:
        await channel.declare_queue("work", durable=True, arguments=QUORUM)
        waiting = QUORUM | {"x-message-ttl": 1000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "work"}
        await channel.declare_queue("retry", durable=True, arguments=waiting)
        await put(channel, "retry", b"later")
        process.kill()
    async with channel_to(url_of(run(*journal))) as channel:
        async with (await channel.get_queue("work")).iterator(timeout=10) as work:
            message = await anext(work)
            assert (message.body, message.headers["x-first-death-queue"]) == (b"later", "retry")
            await message.ack()


async def test_a_dead_letter_kept_at_least_once_waits_for_a_queue_to_take_it(run: Run) -> None:
    """RabbitMQ does the same, but looks again every three minutes only: too slow for a test against both."""
    async with channel_to(url_of(run())) as channel:
        safely: FieldTable = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
        target: FieldTable = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
        queue = await channel.declare_queue("work", durable=True, arguments=QUORUM | target | safely)
        await put(channel, "work", b"kept")
        await (await queue.get()).reject()
        await channel.declare_queue("dead", durable=True, arguments=QUORUM)
        assert await bodies(channel, "dead") == [b"kept"]


def test_two_brokers_cannot_share_a_journal(run: Run, tmp_path: Path) -> None:
    journal = str(tmp_path / "broker.sqlite")
    url_of(run("--journal", journal))
    second = run("--journal", journal)
    _, errors = second.communicate(timeout=20)
    assert second.returncode == 2
    assert errors == f"rabbitmq_emulator: cannot use the journal {journal}: database is locked\n"
