"""What a service says of its queues, its outbox, its database and its loops, on both brokers."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import aio_pika
import pytest
from libs.chassis.tests.test_messaging import Broker, Given, announce_from, at_work, counted, messaging_of, until
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import measures, queues
from chassis.database import Database
from chassis.messaging import PREFETCH, Messaging
from chassis.metrics import STARTING_SECONDS
from chassis.tasks import keep_doing
from contracts.events import FiguresCounted

MORE = 5


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def figures(messaging: Messaging, queue: str) -> dict[str, float | None]:
    """Of one queue, as they stand now."""
    await queues.measure(messaging._queues)
    names = ("messages", "consumers", "dead_letters", "at_hand", "oldest_seconds")
    return {name: sample(f"routiq_queue_{name}", queue=queue) for name in names}


async def test_what_waits_and_what_is_at_hand_is_told_until_it_is_handled(
    broker: Broker, pair: Given, database: Database
) -> None:
    go = asyncio.Event()

    async def on_figures(_event: FiguresCounted, _connection: AsyncConnection) -> None:
        await go.wait()

    messaging, queue = messaging_of(broker, pair, database, on_figures), pair.route.queue(pair.consumer)
    async with at_work(messaging, database):
        await announce_from(pair, database, *(counted(n) for n in range(PREFETCH + MORE)))
        async with asyncio.timeout(20):
            while (await figures(messaging, queue))["messages"] != MORE:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)  # a message's time is in whole seconds
        found = await figures(messaging, queue)
        assert (found["messages"], found["consumers"], found["at_hand"]) == (MORE, 1, PREFETCH)
        assert found["dead_letters"] == 0
        assert 1 <= (found["oldest_seconds"] or 0) < 30
        go.set()
        await until(lambda: sample("routiq_messages_total", queue=queue, outcome="handled") == PREFETCH + MORE)
        found = await figures(messaging, queue)
    assert (found["messages"], found["at_hand"], found["oldest_seconds"]) == (0, 0, 0)
    assert sample("routiq_message_age_seconds_count", queue=queue) == PREFETCH + MORE


async def test_dead_letters_are_counted_and_nothing_is_said_without_a_broker(
    broker: Broker, pair: Given, database: Database
) -> None:
    async def on_figures(_event: FiguresCounted, _connection: AsyncConnection) -> None:
        raise AssertionError("not reached")

    messaging, queue = messaging_of(broker, pair, database, on_figures), pair.route.queue(pair.consumer)
    async with at_work(messaging, database):
        assert sample("routiq_broker_connected") == 1
        async with await aio_pika.connect(broker.url) as connection:
            channel = await connection.channel()
            await channel.default_exchange.publish(aio_pika.Message(b"poison"), queue)
        async with asyncio.timeout(20):
            while (await figures(messaging, queue))["dead_letters"] != 1:
                await asyncio.sleep(0.1)
        assert sample("routiq_messages_total", queue=queue, outcome="dead") == 1
    assert sample("routiq_broker_connected") == 0
    assert sample("routiq_queue_dead_letters", queue=queue) is None


async def test_a_message_whose_consumer_went_away_with_it_is_counted_when_it_comes_again(
    broker: Broker, pair: Given, database: Database
) -> None:
    handled: list[int] = []

    async def on_figures(event: FiguresCounted, _connection: AsyncConnection) -> None:
        handled.append(event.total_patients)

    queue = pair.route.queue(pair.consumer)
    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        pass  # the queue is there now
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        message = aio_pika.Message(counted(7).model_dump_json().encode())
        await channel.default_exchange.publish(message, queue)
        assert await (await channel.get_queue(queue)).get()
    async with at_work(messaging_of(broker, pair, database, on_figures), database):
        await until(lambda: handled == [7])
    assert sample("routiq_messages_redelivered_total", queue=queue) == 1


async def test_what_waits_in_the_outbox_is_told_with_its_age(pair: Given, database: Database) -> None:
    await measures.measure(database)
    assert (sample("routiq_outbox_waiting"), sample("routiq_outbox_oldest_seconds")) == (0, 0)
    await announce_from(pair, database, counted(1), counted(2))
    await asyncio.sleep(0.2)
    await measures.measure(database)
    assert sample("routiq_outbox_waiting") == 2
    assert 0.2 <= (sample("routiq_outbox_oldest_seconds") or 0) < 10
    assert 0 < (sample("routiq_database_sessions") or 0) <= (sample("routiq_database_sessions_limit") or 0)
    assert (sample("routiq_database_size_bytes") or 0) > 1_000_000


async def test_a_database_that_is_away_is_told_as_soon_as_it_is_asked(database: Database) -> None:
    asking = asyncio.create_task(measures.keep_measuring(database))
    await until(lambda: sample("routiq_database_up") == 1)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    away = Database("postgresql://nobody@127.0.0.1:1/none", "none")
    with pytest.raises(ConnectionRefusedError):
        await measures.keep_measuring(away)
    assert sample("routiq_database_up") == 0
    await away.close()


async def test_rounds_that_fail_are_counted() -> None:
    rounds: list[Any] = []

    async def fail() -> None:
        rounds.append(None)
        raise ValueError

    task = asyncio.create_task(keep_doing("failing", fail))
    await until(lambda: len(rounds) == 2)
    begun = sample("routiq_loop_turned_timestamp_seconds", loop="failing") or 0
    assert time.time() - 60 < begun < time.time()  # and it never went round: the alert can tell
    assert sample("routiq_loop_period_seconds", loop="failing") == STARTING_SECONDS
    task.cancel()
    assert sample("routiq_loop_failures_total", loop="failing") == 2
