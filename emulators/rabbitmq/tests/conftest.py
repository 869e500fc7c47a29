"""Names of a test's own on a broker that all tests share, and patience that is not a fixed wait."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeVar

import aio_pika
import pytest
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractQueue,
)
from pamqp.common import FieldTable, FieldValue

PATIENCE_SECONDS = 10
LOOK_AGAIN_SECONDS = 0.02

T = TypeVar("T")


class BrokerUnderTest(Protocol):
    @property
    def url(self) -> str: ...


@pytest.fixture
async def connection(broker: BrokerUnderTest) -> AsyncIterator[AbstractConnection]:
    async with await aio_pika.connect(broker.url) as connection:
        yield connection


@pytest.fixture
async def channel(connection: AbstractConnection) -> AbstractChannel:
    return await connection.channel(publisher_confirms=True, on_return_raises=True)


@pytest.fixture
async def caretaker(broker: BrokerUnderTest) -> AsyncIterator[tuple[AbstractChannel, AsyncExitStack]]:
    """Declares for the test and deletes after it, undisturbed by what the test does to its own connection."""
    async with await aio_pika.connect(broker.url) as connection:
        async with AsyncExitStack() as leftovers:
            yield await connection.channel(), leftovers


@pytest.fixture
def new_queue(
    caretaker: tuple[AbstractChannel, AsyncExitStack], channel: AbstractChannel
) -> Callable[..., Awaitable[AbstractQueue]]:
    """`await new_queue(**arguments)`: a durable quorum queue, or `kind="classic"`, as seen by `channel`."""

    async def declare(name: str | None = None, *, kind: str = "quorum", **arguments: FieldValue) -> AbstractQueue:
        owner, leftovers = caretaker
        given: FieldTable = {key.replace("_", "-"): value for key, value in arguments.items()}
        queue = await owner.declare_queue(
            name or f"test.{secrets.token_hex(6)}",
            durable=True,
            arguments={"x-queue-type": kind, **given},
        )
        leftovers.push_async_callback(queue.delete, if_unused=False, if_empty=False)
        return await channel.get_queue(queue.name, ensure=False)

    return declare


@pytest.fixture
def new_exchange(
    caretaker: tuple[AbstractChannel, AsyncExitStack], channel: AbstractChannel
) -> Callable[..., Awaitable[AbstractExchange]]:
    """`await new_exchange("topic")`: a durable exchange as seen by `channel`."""

    async def declare(kind: str, name: str | None = None) -> AbstractExchange:
        owner, leftovers = caretaker
        exchange = await owner.declare_exchange(name or f"test.{secrets.token_hex(6)}", kind, durable=True)
        leftovers.push_async_callback(exchange.delete, if_unused=False)
        return await channel.get_exchange(exchange.name, ensure=False)

    return declare


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[T | None]]], Awaitable[T]]:
    """`await eventually(look)`: what `look` returns, once that is true."""

    async def wait(look: Callable[[], Awaitable[T | None]]) -> T:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (seen := await look()):
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
            return seen

    return wait


@pytest.fixture
def arriving() -> Callable[[AbstractQueue], Awaitable[AbstractIncomingMessage]]:
    """`await arriving(queue)`: the next message of the queue, unsettled."""

    async def fetch(queue: AbstractQueue) -> AbstractIncomingMessage:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message := await queue.get(fail=False)) is None:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
            return message

    return fetch


@pytest.fixture
def deaths_of() -> Callable[[AbstractIncomingMessage], list[FieldTable]]:
    """`deaths_of(message)`: the entries of its x-death header, newest first."""

    def entries(message: AbstractIncomingMessage) -> list[FieldTable]:
        listed = message.headers["x-death"]
        assert isinstance(listed, list)
        return [death for death in listed if isinstance(death, dict)]

    return entries


@pytest.fixture
def put(channel: AbstractChannel) -> Callable[..., Awaitable[None]]:
    """`await put(queue, b"body", **properties)`: published, persistent unless told otherwise, and confirmed."""

    async def publish(queue: AbstractQueue, body: bytes = b"", **properties: Any) -> None:
        message = aio_pika.Message(body, **({"delivery_mode": aio_pika.DeliveryMode.PERSISTENT} | properties))
        await channel.default_exchange.publish(message, queue.name, mandatory=True)

    return publish


@pytest.fixture
def ready(channel: AbstractChannel) -> Callable[[AbstractQueue], Awaitable[int]]:
    """`await ready(queue)`: how many messages wait in it."""

    async def count(queue: AbstractQueue) -> int:
        declared = await channel.declare_queue(queue.name, passive=True)
        return declared.declaration_result.message_count or 0

    return count
