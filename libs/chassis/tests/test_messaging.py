"""Outbox, broker, inbox and settlement together, on both brokers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aio_pika
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.consumers import Consumers
from chassis.database import Database
from chassis.messaging import Messaging
from chassis.outbox import announce, relay
from chassis.settlement import ATTEMPT, REASON
from chassis.tasks import keep_doing
from chassis.topology import dead
from contracts.events import FiguresCounted
from contracts.routes import Route

DELAYS = (1, 2)


class Broker(Protocol):
    url: str
    kind: str


class Given(Protocol):
    producer: str
    consumer: str
    route: Route


def counted(patients: int = 1) -> FiguresCounted:
    return FiguresCounted(organization_id="org_a", total_patients=patients, active_patients=0)


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def at_work(messaging: Messaging, database: Database, *, relaying: bool = True) -> AsyncIterator[None]:
    jobs = [keep_doing("messaging", messaging.stay_connected)]
    if relaying:
        jobs.append(keep_doing("outbox", lambda: relay(database, messaging.publish)))
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        async with asyncio.timeout(30):
            while not await messaging.consuming():
                await asyncio.sleep(0.05)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def messaging_of(
    broker: Broker, pair: Given, database: Database, handler: Callable[[FiguresCounted, AsyncConnection], Any]
) -> Messaging:
    consumers = Consumers(pair.consumer, [pair.route])
    consumers.on(FiguresCounted)(handler)
    return Messaging(broker.url, consumers, database, DELAYS, [pair.route])


async def announce_from(pair: Given, database: Database, *events: FiguresCounted) -> None:
    async with database.transaction() as connection:
        await announce(connection, pair.producer, events)


async def outbox_size(database: Database) -> int:
    async with database.transaction() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM outbox")) or 0)


async def waiting_in(broker: Broker, queue: str) -> list[aio_pika.abc.AbstractIncomingMessage]:
    connection = await aio_pika.connect(broker.url)
    async with connection:
        channel = await connection.channel()
        inbox = await channel.get_queue(queue)
        messages = []
        while (message := await inbox.get(fail=False)) is not None:
            messages.append(message)
            await message.ack()
    return messages


async def test_an_announced_event_is_handled_once_even_when_published_twice(
    broker: Broker, pair: Given, database: Database
) -> None:
    handled: list[int] = []

    async def on_figures(event: FiguresCounted, _connection: AsyncConnection) -> None:
        handled.append(event.total_patients)

    twice, other = counted(1), counted(2)
    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        await announce_from(pair, database, twice, twice)
        await announce_from(pair, database, other)
        async with asyncio.timeout(10):
            while await outbox_size(database):
                await asyncio.sleep(0.02)
        await until(lambda: 2 in handled)
    assert sorted(handled) == [1, 2]


async def test_a_failure_is_retried_later_and_its_transaction_leaves_nothing(
    broker: Broker, pair: Given, database: Database
) -> None:
    attempts: list[int] = []

    async def on_figures(event: FiguresCounted, connection: AsyncConnection) -> None:
        attempts.append(1)
        await announce(connection, "nobody", [event])
        if len(attempts) < 3:
            raise RuntimeError
        await connection.execute(text("DELETE FROM outbox WHERE routing_key LIKE 'nobody%'"))
        assert await connection.scalar(text("SELECT count(*) FROM outbox WHERE routing_key LIKE 'nobody%'")) == 0

    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        await announce_from(pair, database, counted())
        await until(lambda: len(attempts) == 3)
    assert await waiting_in(broker, dead(pair.route.queue(pair.consumer))) == []


async def test_after_the_last_attempt_a_message_is_a_dead_letter_with_a_reason_and_no_content_in_its_headers(
    broker: Broker, pair: Given, database: Database
) -> None:
    attempts: list[int] = []

    async def on_figures(_event: FiguresCounted, _connection: AsyncConnection) -> None:
        attempts.append(1)
        raise ValueError("Canary Patient")

    event = counted()
    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        await announce_from(pair, database, event)
        await until(lambda: len(attempts) == 1 + len(DELAYS))
        letters: list[aio_pika.abc.AbstractIncomingMessage] = []
        async with asyncio.timeout(10):
            while not letters:
                letters = await waiting_in(broker, dead(pair.route.queue(pair.consumer)))
    assert [letter.headers[REASON] for letter in letters] == ["ValueError"]
    assert letters[0].message_id == str(event.event_id)
    assert "Canary" not in repr(letters[0].headers)


async def test_a_body_that_is_no_such_event_goes_straight_to_the_dead_letters(
    broker: Broker, pair: Given, database: Database
) -> None:
    async def on_figures(_event: FiguresCounted, _connection: AsyncConnection) -> None:
        raise AssertionError("not reached")

    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        connection = await aio_pika.connect(broker.url)
        async with connection:
            exchange = await (await connection.channel()).get_exchange("events")
            await exchange.publish(aio_pika.Message(b'{"first_name": "Canary"}', message_id="m"), pair.route.key)
        letters: list[aio_pika.abc.AbstractIncomingMessage] = []
        async with asyncio.timeout(10):
            while not letters:
                letters = await waiting_in(broker, dead(pair.route.queue(pair.consumer)))
    assert letters[0].headers[REASON] == "ValidationError"
    assert ATTEMPT not in letters[0].headers


async def test_an_event_without_a_queue_stays_in_the_outbox_until_there_is_one(
    broker: Broker, pair: Given, database: Database
) -> None:
    handled: list[int] = []

    async def on_figures(event: FiguresCounted, _connection: AsyncConnection) -> None:
        handled.append(event.total_patients)

    messaging = messaging_of(broker, pair, database, on_figures)
    async with at_work(messaging, database):
        stranger = counted(7)
        async with database.transaction() as connection:
            await announce(connection, "unknown-producer", [stranger])
        await announce_from(pair, database, counted(1))
        await until(lambda: handled == [1])
        async with database.transaction() as connection:
            assert await connection.scalar(text("SELECT event_id FROM outbox")) == stranger.event_id


async def test_a_service_whose_consumer_has_gone_is_not_ready_and_comes_back(
    broker: Broker, pair: Given, database: Database
) -> None:
    handled: list[int] = []

    async def on_figures(event: FiguresCounted, _connection: AsyncConnection) -> None:
        handled.append(event.total_patients)

    messaging = messaging_of(broker, pair, database, on_figures)
    async with at_work(messaging, database):
        connection = await aio_pika.connect(broker.url)
        async with connection:
            await (await connection.channel()).queue_delete(pair.route.queue(pair.consumer))
        assert not await messaging.consuming()
        await announce_from(pair, database, counted(5))
        await until(lambda: handled == [5])
        assert await messaging.consuming()


@pytest.mark.parametrize("producers", [2])
async def test_two_relays_share_an_outbox_without_publishing_anything_twice(
    broker: Broker, pair: Given, database: Database, producers: int
) -> None:
    published: list[str] = []

    async def publish(letter: Any) -> None:
        published.append(str(letter.event_id))
        await asyncio.sleep(0)

    await announce_from(pair, database, *(counted(n) for n in range(120)))
    relays = [asyncio.create_task(relay(database, publish)) for _ in range(producers)]
    await until(lambda: len(published) >= 120)
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    assert len(set(published)) == len(published) == 120
