"""Three RabbitMQ nodes lose one, then two: every event is applied exactly once."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.deploy.rabbitmq_cluster import NODES, Cluster, cluster_below
from tests.shell import blocks

from chassis.consumers import Consumers
from chassis.database import Database
from chassis.messaging import HANDLED_AT_ONCE, PREFETCH, Messaging
from chassis.outbox import announce, relay
from chassis.settings import ServiceSettings
from chassis.tasks import keep_doing
from contracts.events import FiguresCounted
from contracts.routes import Route

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbooks" / "BrokerAway.md"
PRODUCER, CONSUMER = "analytics", "admin"
ROUTE = Route(FiguresCounted, producer=PRODUCER, consumers=(CONSUMER,))
QUEUE = ROUTE.queue(CONSUMER)
DELAYS = ServiceSettings.model_fields["retry_delays"].default
NewDatabase = Callable[[str], Awaitable[str]]
PATIENCE_SECONDS = 120
APPLY = text("INSERT INTO inbox VALUES ('effect', gen_random_uuid())")
APPLIED = text("SELECT count(*) FROM inbox GROUP BY consumer")


@pytest.fixture(scope="module")
async def cluster(server_home: Path) -> AsyncIterator[Cluster]:
    async with cluster_below(server_home / "cluster") as nodes:
        await nodes.start(*NODES)
        yield nodes


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.1)


@dataclass
class Stream:
    """Events on their way from one service's outbox to the effects of another's handler."""

    producer: Database
    consumer: Database
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    in_hand: int = 0
    announced: int = 0

    async def on_figures(self, _event: FiguresCounted, connection: AsyncConnection) -> None:
        """The effect is written, and not yet committed, while it must wait."""
        await connection.execute(APPLY)
        self.in_hand += 1
        try:
            await self.may_go_on.wait()
        finally:
            self.in_hand -= 1

    async def announce(self, events: int) -> None:
        for number in range(events):
            event = FiguresCounted(organization_id="org_a", total_patients=number, active_patients=0)
            async with self.producer.transaction() as connection:
                await announce(connection, PRODUCER, [event])
        self.announced += events

    async def applied(self) -> set[int]:
        """How many effects there are, and of how many events: one number when that is the same."""
        async with self.consumer.transaction() as connection:
            return set(await connection.scalars(APPLIED))

    async def all_published(self) -> bool:
        async with self.producer.transaction() as connection:
            return not await connection.scalar(text("SELECT count(*) FROM outbox"))

    async def hands_are_full(self) -> bool:
        return self.in_hand == HANDLED_AT_ONCE

    async def all_applied(self) -> bool:
        return await self.all_published() and max(await self.applied(), default=0) >= self.announced


def messaging_of(cluster: Cluster, consumers: Consumers, database: Database) -> Messaging:
    return Messaging(cluster.url(consumers.service), consumers, database, DELAYS, [ROUTE], declares=False)


@asynccontextmanager
async def stream_over(cluster: Cluster, new_database: NewDatabase) -> AsyncIterator[Stream]:
    producer = Database(await new_database(PRODUCER), PRODUCER)
    consumer = Database(await new_database(CONSUMER), CONSUMER)
    stream = Stream(producer, consumer)
    consumers = Consumers(CONSUMER, [ROUTE])
    consumers.on(FiguresCounted)(stream.on_figures)
    sending = messaging_of(cluster, Consumers(PRODUCER, [ROUTE]), producer)
    receiving = messaging_of(cluster, consumers, consumer)
    relaying = partial(relay, producer, sending.connected, sending.publish)
    jobs = (sending.stay_connected, receiving.stay_connected, relaying)
    tasks = [asyncio.create_task(keep_doing("job", job)) for job in jobs]
    try:
        await until(receiving.consuming)
        yield stream
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await producer.close()
        await consumer.close()


async def test_every_queue_has_a_member_on_each_node_and_no_node_leads_them_all(cluster: Cluster) -> None:
    queues = await cluster.listed("queues", "name", "members", "leader")
    assert QUEUE in {queue["name"] for queue in queues}
    assert all(sorted(queue["members"]) == sorted(NODES) for queue in queues)
    assert {queue["leader"] for queue in queues} == set(NODES)


async def test_the_node_dies_that_services_are_connected_to_and_every_event_is_applied_once(
    cluster: Cluster, new_database: NewDatabase
) -> None:
    """Its connections end with messages in hand, effects not committed, and publications not confirmed."""
    async with stream_over(cluster, new_database) as stream:
        await stream.announce(2 * PREFETCH)
        await until(stream.hands_are_full)
        more = asyncio.create_task(stream.announce(5 * PREFETCH))
        await cluster.kill(NODES[0])
        stream.may_go_on.set()
        await more
        await until(stream.all_applied)
        await cluster.start(NODES[0])
        await cluster.complete()
        assert await stream.applied() == {stream.announced}


async def test_the_node_dies_that_leads_a_queue_and_what_is_announced_before_another_does_is_applied_once(
    cluster: Cluster, new_database: NewDatabase
) -> None:
    async with stream_over(cluster, new_database) as stream:
        stream.may_go_on.set()
        leader = await cluster.leader(QUEUE)
        await cluster.kill(leader)
        await stream.announce(PREFETCH)
        await until(stream.all_applied)
        await cluster.start(leader)
        await cluster.complete()
        assert await stream.applied() == {stream.announced}


async def test_two_nodes_die_and_what_they_held_is_applied_once_when_one_is_back(
    cluster: Cluster, new_database: NewDatabase
) -> None:
    async with stream_over(cluster, new_database) as stream:
        await stream.announce(5 * PREFETCH)
        await until(stream.all_published)
        await until(stream.hands_are_full)
        await cluster.kill(*NODES[:2])
        stream.may_go_on.set()
        await stream.announce(PREFETCH)
        assert not await stream.all_applied()
        await cluster.start(NODES[0])
        await until(stream.all_applied)
        await cluster.start(NODES[1])
        await cluster.complete()
        assert await stream.applied() == {stream.announced}


async def test_a_node_that_lost_its_data_is_replaced_by_an_empty_one(cluster: Cluster) -> None:
    """With the commands of the runbook."""
    lost = NODES[2]
    await cluster.kill(lost)
    shutil.rmtree(cluster.nodes[lost].home / "data")
    (said,) = (block for block in blocks(RUNBOOK) if "forget_cluster_node" in block)
    for line in said.replace("NODE", lost).splitlines():
        if line == "# start it":
            assert all(lost not in queue["members"] for queue in await cluster.listed("queues", "name", "members"))
            await cluster.start(lost)
        else:
            tool, *arguments = line.split()
            await cluster.control(*arguments, tool=tool)
    await cluster.complete()
