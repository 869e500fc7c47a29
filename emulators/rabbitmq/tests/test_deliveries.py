import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import aio_pika
import aiormq
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

NewQueue = Callable[..., Awaitable[AbstractQueue]]
Put = Callable[..., Awaitable[None]]
Ready = Callable[[AbstractQueue], Awaitable[int]]
Arriving = Callable[[AbstractQueue], Awaitable[AbstractIncomingMessage]]
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[bool]]


class BrokerUnderTest(Protocol):
    @property
    def url(self) -> str: ...


class Inbox:
    """What a consumer got and has not settled, in order."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def put(self, message: AbstractIncomingMessage) -> None:
        await self._messages.put(message)

    async def next(self, count: int) -> list[AbstractIncomingMessage]:
        async with asyncio.timeout(10):
            return [await self._messages.get() for _ in range(count)]

    def is_empty(self) -> bool:
        return self._messages.empty()


def counted(message: AbstractIncomingMessage) -> tuple[bytes, bool | None, object]:
    return message.body, message.redelivered, message.headers.get("x-delivery-count")


async def test_messages_arrive_in_the_order_they_were_published(new_queue: NewQueue, put: Put) -> None:
    queue, inbox = await new_queue(), Inbox()
    for number in range(20):
        await put(queue, b"%d" % number)
    await queue.consume(inbox.put)
    assert [int(message.body) for message in await inbox.next(20)] == list(range(20))


async def test_everything_a_publisher_says_about_a_message_arrives(
    new_queue: NewQueue, put: Put, arriving: Arriving
) -> None:
    queue = await new_queue()
    said = {"content_type": "application/json", "message_id": "m-1", "correlation_id": "c-1", "type": "event"}
    await put(queue, b"{}", headers={"text": "ü", "number": 2**40, "list": [1, {"deep": True}], "none": None}, **said)
    message = await arriving(queue)
    assert {name: getattr(message, name) for name in said} == said
    assert message.headers["text"] == "ü"
    assert message.headers["number"] == 2**40
    assert message.headers["list"] == [1, {"deep": True}]
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_a_consumer_holds_no_more_than_its_prefetch(new_queue: NewQueue, put: Put, ready: Ready) -> None:
    queue, inbox = await new_queue(), Inbox()
    for number in range(5):
        await put(queue, b"%d" % number)
    await queue.channel.set_qos(prefetch_count=2)
    await queue.consume(inbox.put)
    first, second = await inbox.next(2)
    assert await ready(queue) == 3
    await first.ack()
    (third,) = await inbox.next(1)
    assert [first.body, second.body, third.body] == [b"0", b"1", b"2"]
    assert inbox.is_empty()


async def test_each_consumer_of_a_channel_has_a_prefetch_of_its_own(
    new_queue: NewQueue, put: Put, channel: AbstractChannel
) -> None:
    queues, inboxes = [await new_queue(), await new_queue()], [Inbox(), Inbox()]
    await channel.set_qos(prefetch_count=1)
    for queue, inbox in zip(queues, inboxes, strict=True):
        await put(queue, b"mine")
        await queue.consume(inbox.put)
    assert [(await inbox.next(1))[0].body for inbox in inboxes] == [b"mine", b"mine"]


async def test_consumers_take_turns(new_queue: NewQueue, connection: AbstractConnection, put: Put) -> None:
    queue, inboxes = await new_queue(), [Inbox(), Inbox()]
    for inbox in inboxes:
        other = await (await connection.channel()).get_queue(queue.name)
        await other.consume(inbox.put)
    for number in range(6):
        await put(queue, b"%d" % number)
    shares = [[int(message.body) for message in await inbox.next(3)] for inbox in inboxes]
    assert sorted(shares) == [[0, 2, 4], [1, 3, 5]]


async def test_a_consumer_that_need_not_acknowledge_has_no_limit(new_queue: NewQueue, put: Put, ready: Ready) -> None:
    queue, inbox = await new_queue(), Inbox()
    await queue.channel.set_qos(prefetch_count=1)
    await queue.consume(inbox.put, no_ack=True)
    for number in range(3):
        await put(queue, b"%d" % number)
    assert len(await inbox.next(3)) == 3
    assert await ready(queue) == 0


async def test_what_is_acknowledged_does_not_come_back(
    new_queue: NewQueue, connection: AbstractConnection, put: Put, ready: Ready, eventually: Eventually
) -> None:
    queue, inbox = await new_queue(), Inbox()
    for number in range(3):
        await put(queue, b"%d" % number)
    channel = await connection.channel()
    await (await channel.get_queue(queue.name)).consume(inbox.put)
    messages = await inbox.next(3)
    await messages[1].ack(multiple=True)
    await channel.close()

    async def one_is_back() -> bool:
        return await ready(queue) == 1

    assert await eventually(one_is_back)


@pytest.mark.parametrize("kind", ["classic", "quorum"])
async def test_what_is_given_back_is_marked_as_redelivered(
    new_queue: NewQueue, put: Put, arriving: Arriving, kind: str
) -> None:
    queue = await new_queue(kind=kind)
    await put(queue, b"again")
    first = await arriving(queue)
    await first.nack(requeue=True)
    again = await arriving(queue)
    assert (first.redelivered, again.redelivered) == (False, True)
    await again.reject(requeue=True)
    assert (await arriving(queue)).redelivered


async def test_a_quorum_queue_counts_deliveries_from_the_second_on(new_queue: NewQueue, put: Put) -> None:
    queue, inbox = await new_queue(x_delivery_limit=5), Inbox()
    await put(queue, b"counted")
    await queue.consume(inbox.put)
    seen = []
    for _ in range(3):
        (message,) = await inbox.next(1)
        seen.append(counted(message))
        await message.nack()
    assert seen == [(b"counted", False, None), (b"counted", True, 1), (b"counted", True, 2)]


@pytest.mark.parametrize(
    ("kind", "arguments", "order"),
    [
        ("classic", {}, b"0123"),
        ("quorum", {"x_delivery_limit": 5}, b"1023"),
        ("quorum", {}, b"2310"),
    ],
)
async def test_where_given_back_messages_stand_depends_on_the_kind_of_queue(
    new_queue: NewQueue,
    put: Put,
    arriving: Arriving,
    ready: Ready,
    eventually: Eventually,
    kind: str,
    arguments: dict[str, int],
    order: bytes,
) -> None:
    queue = await new_queue(kind=kind, **arguments)
    for number in range(4):
        await put(queue, b"%d" % number)
    taken = [await arriving(queue) for _ in range(2)]
    for left, message in enumerate(reversed(taken), start=3):
        await message.nack()

        async def is_back(expected: int = left) -> bool:
            return await ready(queue) == expected

        assert await eventually(is_back)
    assert b"".join([(await arriving(queue)).body for _ in range(4)]) == order


@pytest.mark.parametrize("kind", ["classic", "quorum"])
async def test_a_connection_that_ends_gives_back_what_it_held(
    broker: BrokerUnderTest, new_queue: NewQueue, put: Put, arriving: Arriving, kind: str
) -> None:
    queue, inbox = await new_queue(kind=kind), Inbox()
    for number in range(3):
        await put(queue, b"%d" % number)
    async with await aio_pika.connect(broker.url) as doomed:
        channel = await doomed.channel()
        await channel.set_qos(prefetch_count=2)
        await (await channel.get_queue(queue.name)).consume(inbox.put)
        await inbox.next(2)
    back = [await arriving(queue) for _ in range(3)]
    assert [(message.body, message.redelivered) for message in back] == [(b"0", True), (b"1", True), (b"2", False)]


async def test_a_cancelled_consumer_gets_nothing_more_and_may_still_settle(
    new_queue: NewQueue, put: Put, ready: Ready
) -> None:
    queue, inbox = await new_queue(), Inbox()
    await put(queue, b"before")
    tag = await queue.consume(inbox.put)
    (held,) = await inbox.next(1)
    await queue.cancel(tag)
    await put(queue, b"after")
    assert await ready(queue) == 1
    await held.ack()
    assert inbox.is_empty()


async def test_fetching_from_an_empty_queue_finds_nothing(new_queue: NewQueue) -> None:
    assert await (await new_queue()).get(fail=False) is None


async def test_an_unknown_delivery_tag_closes_the_channel(channel: AbstractChannel) -> None:
    reasons: asyncio.Queue[BaseException | None] = asyncio.Queue()
    channel.close_callbacks.add(lambda _channel, reason: reasons.put_nowait(reason))
    await (await channel.get_underlay_channel()).basic_ack(77)
    reason = await asyncio.wait_for(reasons.get(), timeout=10)
    assert isinstance(reason, ChannelPreconditionFailed)
    assert "unknown delivery tag 77" in str(reason)


async def test_an_exclusive_consumer_of_a_classic_queue_keeps_others_out(
    new_queue: NewQueue, connection: AbstractConnection
) -> None:
    queue = await new_queue(kind="classic")
    await queue.consume(Inbox().put, exclusive=True)
    with pytest.raises(ChannelAccessRefused, match="exclusive use"):
        await (await (await connection.channel()).get_queue(queue.name)).consume(Inbox().put)


async def test_consumers_of_a_deleted_queue_are_told(
    new_queue: NewQueue, connection: AbstractConnection, channel: AbstractChannel
) -> None:
    queue = await new_queue()
    await queue.consume(Inbox().put, consumer_tag="told")
    underlay = await channel.get_underlay_channel()
    assert isinstance(underlay, aiormq.Channel)
    await (await connection.channel()).queue_delete(queue.name)
    async with asyncio.timeout(10):
        while "told" in underlay.consumers:
            await asyncio.sleep(0.02)
