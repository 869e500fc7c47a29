"""Outbox, broker, inbox and settlement together, on both brokers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aio_pika
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.consumers import Consumers
from chassis.database import Database
from chassis.dead_letters import ATTEMPT, ATTEMPTS, FIRST_FAILED, LAST_FAILED, REASON
from chassis.messaging import PREFETCH, Messaging
from chassis.outbox import PAGE, announce, relay
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
        jobs.append(keep_doing("outbox", lambda: relay(database, messaging.connected, messaging.publish)))
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
    left_behind: list[int] = []

    async def on_figures(_event: FiguresCounted, connection: AsyncConnection) -> None:
        left_behind.append(
            int(await connection.scalar(text("SELECT count(*) FROM inbox WHERE consumer = 'effect'")) or 0)
        )
        await connection.execute(text("INSERT INTO inbox VALUES ('effect', gen_random_uuid())"))
        if len(left_behind) < 3:
            raise RuntimeError

    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        await announce_from(pair, database, counted())
        await until(lambda: len(left_behind) == 3)
    assert left_behind == [0, 0, 0]
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
    told = letters[0].headers
    assert told[ATTEMPTS] == 1 + len(DELAYS)
    assert str(told[FIRST_FAILED]) < str(told[LAST_FAILED])
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


async def test_events_without_a_queue_wait_in_the_outbox_until_there_is_one_and_hold_up_no_other(
    broker: Broker, pair: Given, database: Database
) -> None:
    handled: list[int] = []

    async def on_figures(event: FiguresCounted, _connection: AsyncConnection) -> None:
        handled.append(event.total_patients)

    late = Route(FiguresCounted, producer=f"late-{pair.producer}", consumers=(pair.consumer,))
    strangers = [counted(n) for n in range(100, 100 + PAGE + 1)]
    async with database.transaction() as connection:
        await announce(connection, late.producer, strangers)
    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        await announce_from(pair, database, counted(1))
        await until(lambda: handled == [1])
        async with asyncio.timeout(30):
            while await outbox_size(database) != len(strangers):  # what was handled is let go of a little later
                await asyncio.sleep(0.02)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE outbox SET not_before = now()"))
    consumers = Consumers(pair.consumer, [late])
    consumers.on(FiguresCounted)(on_figures)
    async with at_work(Messaging(broker.url, consumers, database, DELAYS, [late]), database):
        await until(lambda: len(handled) == 1 + len(strangers))
        assert sorted(handled[1:]) == [stranger.total_patients for stranger in strangers]


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


async def always() -> None:
    """There is a broker."""


@pytest.mark.parametrize("producers", [2])
async def test_two_relays_share_an_outbox_without_publishing_anything_twice(
    pair: Given, database: Database, producers: int
) -> None:
    published: list[str] = []

    async def publish(letter: Any) -> None:
        published.append(str(letter.event_id))
        await asyncio.sleep(0)

    await announce_from(pair, database, *(counted(n) for n in range(120)))
    relays = [asyncio.create_task(relay(database, always, publish)) for _ in range(producers)]
    await until(lambda: len(published) >= 120)
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    assert len(set(published)) == len(published) == 120


async def test_a_message_that_cannot_be_sent_to_wait_goes_back_and_holds_nothing_up(
    broker: Broker, pair: Given, database: Database
) -> None:
    handled: list[int] = []

    async def on_figures(event: FiguresCounted, _connection: AsyncConnection) -> None:
        handled.append(event.total_patients)
        if handled.count(event.total_patients) == 1 and event.total_patients < PREFETCH:
            raise RuntimeError

    messaging = messaging_of(broker, pair, database, on_figures)
    unreachable = 3
    messaging._delays = (unreachable,)
    async with at_work(messaging, database):
        connection = await aio_pika.connect(broker.url)
        async with connection:
            channel = await connection.channel()
            await channel.queue_delete(f"retry.{unreachable}s")
        await announce_from(pair, database, *(counted(n) for n in range(PREFETCH + 1)))
        await until(lambda: all(handled.count(n) == 2 for n in range(PREFETCH)) and PREFETCH in handled)


async def test_what_another_process_announced_and_left_is_published_too(pair: Given, database: Database) -> None:
    published: list[str] = []

    async def publish(letter: Any) -> None:
        published.append(str(letter.event_id))

    another = Database(str(database._engine.url.render_as_string(hide_password=False)), database.schema)
    relaying = asyncio.create_task(keep_doing("outbox", lambda: relay(database, always, publish)))
    await announce_from(pair, database, counted(1))
    await until(lambda: len(published) == 1)
    await announce_from(pair, another, counted(2))
    await until(lambda: len(published) == 2)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    await another.close()


async def test_work_stops_when_it_is_cancelled_even_if_it_then_fails() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ConnectionError

    task = asyncio.create_task(keep_doing("stubborn", work))
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()


async def test_what_waits_is_handled_together_and_one_that_fails_ends_alone_among_the_dead_letters(
    broker: Broker, pair: Given, database: Database
) -> None:
    groups: list[list[int]] = []
    first_is_in, others_wait = asyncio.Event(), asyncio.Event()

    async def on_figures(events: Sequence[FiguresCounted], connection: AsyncConnection) -> None:
        groups.append([event.total_patients for event in events])
        first_is_in.set()
        await others_wait.wait()
        for event in events:
            await connection.execute(text("INSERT INTO inbox VALUES ('effect', gen_random_uuid())"))
            if event.total_patients == 13:
                raise RuntimeError

    consumers = Consumers(pair.consumer, [pair.route])
    consumers.on_all(FiguresCounted)(on_figures)
    dead_letters = dead(pair.route.queue(pair.consumer))
    async with at_work(Messaging(broker.url, consumers, database, DELAYS, [pair.route]), database):
        await announce_from(pair, database, counted(0))
        await first_is_in.wait()
        twice = counted(1)
        await announce_from(pair, database, twice, twice, counted(13), *(counted(n) for n in range(2, 10)))
        async with asyncio.timeout(10):
            while await outbox_size(database):
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # until they have come
        others_wait.set()
        letters: list[aio_pika.abc.AbstractIncomingMessage] = []
        async with asyncio.timeout(15):
            while not letters:
                letters = await waiting_in(broker, dead_letters)
    assert groups[0] == [0]
    assert max(map(len, groups)) > 2
    assert len(letters) == 1
    assert groups.count([13]) == 1 + len(DELAYS)
    async with database.transaction() as connection:
        effects = await connection.scalar(text("SELECT count(*) FROM inbox WHERE consumer = 'effect'"))
    assert effects == 10


async def test_what_waits_of_several_organizations_is_handled_apart(
    broker: Broker, pair: Given, database: Database
) -> None:
    groups: list[tuple[set[str], set[str]]] = []

    async def on_figures(events: Sequence[FiguresCounted], connection: AsyncConnection) -> None:
        seen = str(await connection.scalar(text("SELECT current_setting('routiq.organization_id')")))
        groups.append(({event.organization_id for event in events}, {seen}))
        await asyncio.sleep(0.05)

    consumers = Consumers(pair.consumer, [pair.route])
    consumers.on_all(FiguresCounted)(on_figures)
    events = [counted(n).model_copy(update={"organization_id": f"org_{n % 3}"}) for n in range(30)]
    async with at_work(Messaging(broker.url, consumers, database, DELAYS, [pair.route]), database):
        await announce_from(pair, database, *events)
        async with asyncio.timeout(10):
            while await inbox_size(database) < len(events):
                await asyncio.sleep(0.02)
    assert all(about == seen for about, seen in groups)
    assert len(groups) < len(events)


async def inbox_size(database: Database) -> int:
    async with database.transaction() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM inbox")) or 0)
