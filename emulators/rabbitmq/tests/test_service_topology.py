"""The exchanges and queues of the services, as they declare them, and a message's way through."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from pamqp.common import FieldTable

NewQueue = Callable[..., Awaitable[AbstractQueue]]
NewExchange = Callable[..., Awaitable[AbstractExchange]]
Arriving = Callable[[AbstractQueue], Awaitable[AbstractIncomingMessage]]
DeathsOf = Callable[[AbstractIncomingMessage], list[FieldTable]]

KEY = "sync.patients.synced.v1"
DELAY_MS = 150


@dataclass(frozen=True)
class Topology:
    events: AbstractExchange
    queue: AbstractQueue
    dead: AbstractQueue
    retry: AbstractExchange


@pytest.fixture
async def topology(new_queue: NewQueue, new_exchange: NewExchange) -> Topology:
    run = secrets.token_hex(4)
    name, delay = f"patients-{run}.{KEY}", f"retry.{run}.{DELAY_MS}ms"
    safely = {"x_dead_letter_strategy": "at-least-once", "x_overflow": "reject-publish"}
    dead = await new_queue(f"{name}.dead")
    queue = await new_queue(
        name, x_delivery_limit=3, x_dead_letter_exchange="", x_dead_letter_routing_key=f"{name}.dead", **safely
    )
    retry = await new_exchange("fanout", delay)
    waiting = await new_queue(delay, x_message_ttl=DELAY_MS, x_dead_letter_exchange="", **safely)
    await waiting.bind(retry)
    events = await new_exchange("topic", f"events-{run}")
    await queue.bind(events, KEY)
    return Topology(events, queue, dead, retry)


def event() -> aio_pika.Message:
    return aio_pika.Message(
        b'{"event_id": "e-1"}', headers={"attempt": 1}, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
    )


async def test_an_event_reaches_the_consumers_queue(topology: Topology, arriving: Arriving) -> None:
    await topology.events.publish(event(), KEY, mandatory=True)
    message = await arriving(topology.queue)
    assert (message.body, message.exchange, message.routing_key) == (b'{"event_id": "e-1"}', topology.events.name, KEY)
    await message.ack()


async def test_a_retried_event_comes_back_to_its_queue_after_the_delay(topology: Topology, arriving: Arriving) -> None:
    for attempt in (1, 2, 3):
        await topology.retry.publish(event(), topology.queue.name, mandatory=True)
        message = await arriving(topology.queue)
        assert (message.exchange, message.routing_key) == ("", topology.queue.name), attempt
        assert message.headers["x-first-death-queue"] == topology.retry.name
        assert message.headers["x-first-death-reason"] == "expired"
        await message.ack()


async def test_a_retry_that_carries_its_history_along_comes_back_too(
    topology: Topology, arriving: Arriving, deaths_of: DeathsOf
) -> None:
    message: aio_pika.Message | AbstractIncomingMessage = event()
    for attempt in (1, 2, 3):
        again = aio_pika.Message(message.body, headers=message.headers, delivery_mode=message.delivery_mode)
        await topology.retry.publish(again, topology.queue.name, mandatory=True)
        message = received = await arriving(topology.queue)
        (death,) = deaths_of(received)
        assert (death["queue"], death["count"]) == (topology.retry.name, attempt)
        await received.ack()


async def test_an_event_that_is_given_up_lies_in_the_dead_letter_queue(topology: Topology, arriving: Arriving) -> None:
    await topology.events.publish(event(), KEY, mandatory=True)
    await (await arriving(topology.queue)).reject(requeue=False)
    letter = await arriving(topology.dead)
    assert letter.headers["x-first-death-reason"] == "rejected"
    assert letter.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_an_event_that_kills_its_consumers_lies_in_the_dead_letter_queue(
    topology: Topology, arriving: Arriving
) -> None:
    await topology.events.publish(event(), KEY, mandatory=True)
    for _ in range(4):
        await (await arriving(topology.queue)).nack(requeue=True)
    assert (await arriving(topology.dead)).headers["x-first-death-reason"] == "delivery_limit"


async def test_a_dead_letter_redriven_to_its_queue_can_die_again(
    topology: Topology, arriving: Arriving, deaths_of: DeathsOf, channel: AbstractChannel
) -> None:
    await topology.events.publish(event(), KEY, mandatory=True)
    for death in (1, 2):
        await (await arriving(topology.queue)).reject(requeue=False)
        letter = await arriving(topology.dead)
        (history,) = deaths_of(letter)
        assert history["count"] == death
        again = aio_pika.Message(letter.body, headers=letter.headers, delivery_mode=letter.delivery_mode)
        await channel.default_exchange.publish(again, topology.queue.name, mandatory=True)
        await letter.ack()
    await (await arriving(topology.queue)).ack()
