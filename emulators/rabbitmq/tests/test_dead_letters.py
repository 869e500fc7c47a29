import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import aio_pika
import pytest
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage, AbstractQueue
from pamqp.common import FieldTable, FieldValue

NewQueue = Callable[..., Awaitable[AbstractQueue]]
NewExchange = Callable[..., Awaitable[AbstractExchange]]
Put = Callable[..., Awaitable[None]]
DeathsOf = Callable[[AbstractIncomingMessage], list[FieldTable]]
Ready = Callable[[AbstractQueue], Awaitable[int]]
Arriving = Callable[[AbstractQueue], Awaitable[AbstractIncomingMessage]]
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[bool]]

BOTH_KINDS = pytest.mark.parametrize("kind", ["classic", "quorum"])


def told(deaths: list[FieldTable]) -> list[tuple[FieldValue, ...]]:
    return [(death["queue"], death["reason"], death["count"]) for death in deaths]


async def test_a_message_dies_when_its_delivery_limit_is_exceeded(
    new_queue: NewQueue, put: Put, arriving: Arriving, deaths_of: DeathsOf
) -> None:
    dead = await new_queue()
    queue = await new_queue(x_delivery_limit=3, x_dead_letter_exchange="", x_dead_letter_routing_key=dead.name)
    await put(queue, b"poison")
    redelivered = []
    for _ in range(4):
        message = await arriving(queue)
        redelivered.append(message.redelivered)
        await message.nack(requeue=True)
    assert redelivered == [False, True, True, True]
    assert told(deaths_of(await arriving(dead))) == [(queue.name, "delivery_limit", 1)]
    assert await queue.get(fail=False) is None


@BOTH_KINDS
async def test_a_rejected_message_tells_where_it_died(
    new_queue: NewQueue, new_exchange: NewExchange, put: Put, arriving: Arriving, deaths_of: DeathsOf, kind: str
) -> None:
    dead, exchange = await new_queue(kind=kind), await new_exchange("topic")
    queue = await new_queue(kind=kind, x_dead_letter_exchange="", x_dead_letter_routing_key=dead.name)
    await queue.bind(exchange, "a.*")
    await exchange.publish(aio_pika.Message(b"no", headers={"mine": 1.5, "bytes": "ü"}), "a.b", mandatory=True)
    await (await arriving(queue)).reject()
    letter = await arriving(dead)
    assert (letter.body, letter.exchange, letter.routing_key, letter.redelivered) == (b"no", "", dead.name, False)
    headers = dict(letter.headers)
    del headers["x-death"]
    headers.pop("x-delivery-count", None)
    (death,) = deaths_of(letter)
    assert isinstance(death.pop("time"), datetime)
    assert death == {
        "count": 1,
        "reason": "rejected",
        "queue": queue.name,
        "exchange": exchange.name,
        "routing-keys": ["a.b"],
    }
    assert headers == {
        "mine": 1.5,
        "bytes": "ü",
        "x-first-death-reason": "rejected",
        "x-first-death-queue": queue.name,
        "x-first-death-exchange": exchange.name,
    }


async def test_without_a_routing_key_of_its_own_a_dead_letter_keeps_the_messages(
    new_queue: NewQueue, new_exchange: NewExchange, put: Put, arriving: Arriving
) -> None:
    graveyard, dead = await new_exchange("direct"), await new_queue()
    queue = await new_queue(x_dead_letter_exchange=graveyard.name)
    await dead.bind(graveyard, queue.name)
    await put(queue, b"no")
    await (await arriving(queue)).nack(requeue=False)
    letter = await arriving(dead)
    assert (letter.exchange, letter.routing_key) == (graveyard.name, queue.name)


async def test_without_a_dead_letter_exchange_a_rejected_message_is_gone(
    new_queue: NewQueue, put: Put, arriving: Arriving, ready: Ready
) -> None:
    queue = await new_queue()
    await put(queue)
    await (await arriving(queue)).reject()
    assert await ready(queue) == 0


@pytest.mark.parametrize("exchange", ["", "test.no-such-exchange"])
async def test_a_dead_letter_that_nobody_takes_is_dropped(
    new_queue: NewQueue, put: Put, arriving: Arriving, ready: Ready, exchange: str
) -> None:
    queue = await new_queue(x_dead_letter_exchange=exchange, x_dead_letter_routing_key="test.nobody")
    await put(queue, b"lost")
    await (await arriving(queue)).reject()
    await put(queue, b"next")
    assert (await arriving(queue)).body == b"next"
    assert await ready(queue) == 0


@BOTH_KINDS
async def test_a_message_expires_when_its_queue_says_so_though_nobody_consumes(
    new_queue: NewQueue, put: Put, arriving: Arriving, deaths_of: DeathsOf, kind: str
) -> None:
    dead = await new_queue(kind=kind)
    queue = await new_queue(
        kind=kind, x_message_ttl=100, x_dead_letter_exchange="", x_dead_letter_routing_key=dead.name
    )
    await put(queue, b"late")
    letter = await arriving(dead)
    assert (letter.body, told(deaths_of(letter))) == (b"late", [(queue.name, "expired", 1)])


@BOTH_KINDS
async def test_a_message_expires_while_the_consumers_are_busy(
    new_queue: NewQueue, put: Put, arriving: Arriving, kind: str
) -> None:
    dead = await new_queue(kind=kind)
    queue = await new_queue(
        kind=kind, x_message_ttl=300, x_dead_letter_exchange="", x_dead_letter_routing_key=dead.name
    )
    held: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await queue.channel.set_qos(prefetch_count=1)
    await queue.consume(held.put)
    await put(queue, b"held")
    assert (await asyncio.wait_for(held.get(), timeout=10)).body == b"held"
    await put(queue, b"waiting")
    assert (await arriving(dead)).body == b"waiting"
    assert held.empty()


@BOTH_KINDS
async def test_a_messages_own_expiration_counts_and_is_kept_in_its_history_only(
    new_queue: NewQueue, put: Put, arriving: Arriving, deaths_of: DeathsOf, kind: str
) -> None:
    dead = await new_queue(kind=kind)
    queue = await new_queue(
        kind=kind, x_message_ttl=60_000, x_dead_letter_exchange="", x_dead_letter_routing_key=dead.name
    )
    await put(queue, b"soon", expiration=0.1)
    letter = await arriving(dead)
    assert letter.expiration is None
    (death,) = deaths_of(letter)
    assert (death["reason"], death["original-expiration"]) == ("expired", "100")


@BOTH_KINDS
async def test_messages_expire_from_the_head_only(
    new_queue: NewQueue, put: Put, arriving: Arriving, ready: Ready, kind: str
) -> None:
    dead = await new_queue(kind=kind)
    queue = await new_queue(kind=kind, x_dead_letter_exchange="", x_dead_letter_routing_key=dead.name)
    await put(queue, b"stays")
    await put(queue, b"goes", expiration=0.1)
    await asyncio.sleep(0.3)
    assert await ready(queue) == 2
    await (await arriving(queue)).ack()
    assert (await arriving(dead)).body == b"goes"


@BOTH_KINDS
async def test_what_a_full_queue_drops_dies_of_its_length(
    new_queue: NewQueue, put: Put, arriving: Arriving, deaths_of: DeathsOf, kind: str
) -> None:
    dead = await new_queue(kind=kind)
    queue = await new_queue(kind=kind, x_max_length=1, x_dead_letter_exchange="", x_dead_letter_routing_key=dead.name)
    await put(queue, b"old")
    await put(queue, b"new")
    letter = await arriving(dead)
    assert (letter.body, told(deaths_of(letter))) == (b"old", [(queue.name, "maxlen", 1)])


@BOTH_KINDS
async def test_a_message_that_would_expire_in_circles_is_dropped(
    new_queue: NewQueue, new_exchange: NewExchange, put: Put, ready: Ready, eventually: Eventually, kind: str
) -> None:
    exchange = await new_exchange("fanout")
    queue = await new_queue(kind=kind, x_message_ttl=100, x_dead_letter_exchange=exchange.name)
    await queue.bind(exchange)
    await put(queue)

    async def gone() -> bool:
        return await ready(queue) == 0

    assert await eventually(gone)


async def test_a_circle_with_a_rejection_in_it_goes_on_and_is_counted(
    new_queue: NewQueue, new_exchange: NewExchange, put: Put, arriving: Arriving, deaths_of: DeathsOf
) -> None:
    exchange = await new_exchange("fanout")
    queue = await new_queue(x_dead_letter_exchange=exchange.name)
    await queue.bind(exchange)
    await put(queue, b"round")
    for _ in range(3):
        await (await arriving(queue)).reject()
    message = await arriving(queue)
    assert told(deaths_of(message)) == [(queue.name, "rejected", 3)]
    await message.ack()
