import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelLockedResource,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    ConnectionCommandInvalid,
    ConnectionNotImplemented,
)

NewQueue = Callable[..., Awaitable[AbstractQueue]]
NewExchange = Callable[..., Awaitable[AbstractExchange]]
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[bool]]
Put = Callable[..., Awaitable[None]]
Ready = Callable[[AbstractQueue], Awaitable[int]]

SAME = {"durable": True, "arguments": {"x-message-ttl": 5000}}


class BrokerUnderTest(Protocol):
    @property
    def url(self) -> str: ...


async def settle(message: AbstractIncomingMessage) -> None:
    await message.ack()


async def test_declaring_the_same_queue_again_is_harmless(new_queue: NewQueue) -> None:
    first = await new_queue(x_delivery_limit=3)
    assert (await new_queue(first.name, x_delivery_limit=3)).name == first.name


@pytest.mark.parametrize(
    ("again", "difference"),
    [
        (SAME | {"durable": False}, "'durable'"),
        (SAME | {"auto_delete": True}, "'auto_delete'"),
        (SAME | {"arguments": {"x-message-ttl": 6000}}, "'x-message-ttl'"),
        (SAME | {"arguments": {}}, "'x-message-ttl'"),
        (SAME | {"arguments": {"x-message-ttl": 5000, "x-max-length": 3}}, "'x-max-length'"),
        (SAME | {"arguments": {"x-message-ttl": 5000, "x-queue-type": "quorum"}}, "'x-queue-type'"),
    ],
)
async def test_declaring_a_queue_differently_names_the_difference(
    new_queue: NewQueue, channel: AbstractChannel, again: Any, difference: str
) -> None:
    queue = await new_queue(kind="classic", x_message_ttl=5000)
    with pytest.raises(ChannelPreconditionFailed, match=f"inequivalent arg {difference}"):
        await channel.declare_queue(queue.name, **again)


@pytest.mark.parametrize(
    ("again", "difference"), [({"type": "fanout", "durable": True}, "'type'"), ({"type": "topic"}, "'durable'")]
)
async def test_declaring_an_exchange_differently_names_the_difference(
    new_exchange: NewExchange, channel: AbstractChannel, again: Any, difference: str
) -> None:
    exchange = await new_exchange("topic")
    with pytest.raises(ChannelPreconditionFailed, match=f"inequivalent arg {difference}"):
        await channel.declare_exchange(exchange.name, **again)


async def test_a_passive_declaration_finds_what_exists_and_counts_it(
    new_queue: NewQueue,
    new_exchange: NewExchange,
    channel: AbstractChannel,
    put: Put,
    ready: Ready,
    eventually: Eventually,
) -> None:
    queue, exchange = await new_queue(), await new_exchange("topic")
    await put(queue)

    async def counted() -> bool:
        return await ready(queue) == 1

    assert await eventually(counted)
    await channel.declare_exchange(exchange.name, passive=True)


async def test_a_passive_declaration_of_something_unknown_is_not_found(connection: AbstractConnection) -> None:
    with pytest.raises(ChannelNotFoundEntity, match=re.escape("no queue 'test.unknown' in vhost '/'")):
        await (await connection.channel()).declare_queue("test.unknown", passive=True)
    with pytest.raises(ChannelNotFoundEntity, match=re.escape("no exchange 'test.unknown' in vhost '/'")):
        await (await connection.channel()).declare_exchange("test.unknown", passive=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"x-queue-type": "nonsense"},
        {"x-message-ttl": -1},
        {"x-message-ttl": "soon"},
        {"x-max-length": -1},
        {"x-overflow": "nonsense"},
        {"x-dead-letter-routing-key": "without an exchange"},
        {"x-delivery-limit": 3},
        {"x-queue-type": "quorum", "x-dead-letter-strategy": "nonsense"},
    ],
)
async def test_arguments_that_make_no_sense_are_refused(channel: AbstractChannel, arguments: dict[str, Any]) -> None:
    with pytest.raises(ChannelPreconditionFailed, match="invalid arg"):
        await channel.declare_queue(f"test.{secrets.token_hex(6)}", durable=True, arguments=arguments)


@pytest.mark.parametrize(
    "properties", [{}, {"durable": True, "exclusive": True}, {"durable": True, "auto_delete": True}]
)
async def test_a_quorum_queue_has_to_be_durable_shared_and_lasting(
    channel: AbstractChannel, properties: dict[str, bool]
) -> None:
    with pytest.raises(ChannelPreconditionFailed, match="invalid property"):
        await channel.declare_queue(f"test.{secrets.token_hex(6)}", arguments={"x-queue-type": "quorum"}, **properties)


async def test_a_quorum_queue_is_not_deleted_conditionally(new_queue: NewQueue) -> None:
    with pytest.raises(ConnectionNotImplemented, match="not supported by quorum queues"):
        await (await new_queue()).delete(if_unused=True, if_empty=False)


async def test_a_classic_queue_in_use_or_not_empty_is_not_deleted_when_that_was_the_condition(
    new_queue: NewQueue, connection: AbstractConnection, put: Put
) -> None:
    queue = await new_queue(kind="classic")
    await put(queue, b"keep me")
    with pytest.raises(ChannelPreconditionFailed, match="not empty"):
        await queue.delete(if_unused=False, if_empty=True)
    other = await (await connection.channel()).get_queue(queue.name)
    await other.consume(settle)
    with pytest.raises(ChannelPreconditionFailed, match="in use"):
        await other.delete(if_unused=True, if_empty=False)


async def test_deleting_a_queue_or_exchange_that_does_not_exist_succeeds(channel: AbstractChannel) -> None:
    await channel.queue_delete("test.unknown")
    await channel.exchange_delete("test.unknown")


async def test_purging_reports_how_much_went(new_queue: NewQueue, put: Put, ready: Ready) -> None:
    queue = await new_queue(kind="classic")
    for _ in range(3):
        await put(queue)
    assert (await queue.purge()).message_count == 3
    assert await ready(queue) == 0


async def test_an_exclusive_queue_is_locked_to_others_and_ends_with_its_connection(
    broker: BrokerUnderTest, connection: AbstractConnection, eventually: Eventually
) -> None:
    async with await aio_pika.connect(broker.url) as owner:
        queue = await (await owner.channel()).declare_queue(exclusive=True)
        with pytest.raises(ChannelLockedResource, match="exclusive access"):
            await (await connection.channel()).declare_queue(queue.name, passive=True)

    async def gone() -> bool:
        try:
            await (await connection.channel()).declare_queue(queue.name, passive=True)
        except ChannelNotFoundEntity:
            return True
        except ChannelLockedResource:
            return False
        return False

    assert await eventually(gone)


async def test_an_auto_delete_queue_ends_with_its_last_consumer(
    channel: AbstractChannel, eventually: Eventually, connection: AbstractConnection
) -> None:
    queue = await channel.declare_queue(auto_delete=True)
    tag = await queue.consume(settle)
    await queue.cancel(tag)

    async def gone() -> bool:
        try:
            await (await connection.channel()).declare_queue(queue.name, passive=True)
        except ChannelNotFoundEntity:
            return True
        return False

    assert await eventually(gone)


async def test_an_auto_delete_exchange_ends_with_its_last_binding(
    new_queue: NewQueue, channel: AbstractChannel
) -> None:
    exchange = await channel.declare_exchange(f"test.{secrets.token_hex(6)}", "topic", auto_delete=True)
    queue = await new_queue(kind="classic")
    await queue.bind(exchange, "a")
    await queue.unbind(exchange, "a")
    with pytest.raises(ChannelNotFoundEntity):
        await channel.declare_exchange(exchange.name, passive=True)


async def test_the_brokers_own_names_are_not_for_clients(connection: AbstractConnection) -> None:
    with pytest.raises(ChannelAccessRefused, match="reserved prefix"):
        await (await connection.channel()).declare_queue("amq.mine")
    with pytest.raises(ChannelAccessRefused, match="reserved prefix"):
        await (await connection.channel()).declare_exchange("amq.mine")
    with pytest.raises(ChannelAccessRefused, match="not allowed"):
        await (await connection.channel()).exchange_delete("amq.topic")


async def test_an_unknown_kind_of_exchange_ends_the_connection(connection: AbstractConnection) -> None:
    with pytest.raises(ConnectionCommandInvalid, match="unknown exchange type"):
        await (await connection.channel()).declare_exchange("test.odd", "nonsense")
