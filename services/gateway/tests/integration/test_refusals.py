"""Who is turned away comes to the audit's queue, and no request waits for that."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
from faststream.rabbit import RabbitBroker
from services.gateway.tests.integration.test_metrics import samples

from chassis.tasks import keep_doing
from chassis.topology import declare, queue
from contracts.events import AccessRefused
from contracts.routes import ROUTES
from gateway.adapters.refusals import SECONDS_APART, Refusals
from gateway.domain.turned_away import TurnedAway

(ROUTE,) = (route for route in ROUTES if route.event is AccessRefused)
QUEUE = ROUTE.queue("admin")
PATIENTS = "/api/v1/patients/{organization_id}/*"


class Broker(Protocol):
    url: str


def refusal(user_id: str = "user_1") -> TurnedAway:
    return TurnedAway("org_b", "org_a", user_id, None, None, "other_organization", "GET", PATIENTS)


@asynccontextmanager
async def announcing(refusals: Refusals) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_doing("refusals", refusals.announce))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    refusals.close()


async def told(broker: Broker, count: int) -> list[AccessRefused]:
    """What tells of the next `count` refusals in the audit's queue, which admin would have made."""
    events: list[AccessRefused] = []
    async with RabbitBroker(broker.url, logger=None) as admin, asyncio.timeout(30):
        await declare(admin, [ROUTE], ())
        inbox = await admin.declare_queue(queue(QUEUE, ROUTE.key))
        while sum(event.count for event in events) < count:
            while message := await inbox.get(fail=False):
                await message.ack()
                events.append(AccessRefused.model_validate_json(message.body))
            await asyncio.sleep(0.05)
    return events


async def confirmed(refusals: Refusals) -> None:
    async with asyncio.timeout(30):
        while refusals.waiting:
            await asyncio.sleep(0.02)


class Cable:
    """A way to the broker that can be cut and mended."""

    def __init__(self, broker: Broker, port: int) -> None:
        address = urlsplit(broker.url)
        self._to = (address.hostname, address.port)
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: list[asyncio.StreamWriter] = []

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        self._open += [writer, far_writer]
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@pytest.fixture
async def cable(broker: Broker, unused_tcp_port: int) -> AsyncIterator[Cable]:
    cable = Cable(broker, unused_tcp_port)
    yield cable
    await cable.cut()


def by_way_of(cable_port: int, broker: Broker) -> str:
    address = urlsplit(broker.url)
    credentials = address.netloc.rpartition("@")[0]
    return address._replace(netloc=f"{credentials}@127.0.0.1:{cable_port}").geturl()


async def test_each_way_of_being_turned_away_is_told_with_how_often(
    broker: Broker, start_gateway: Any, clerk: Any
) -> None:
    gateway = await start_gateway(amqp_url=broker.url)
    for _ in range(3):
        answer = await gateway.get("/api/v1/patients/org_south/patients/4711", headers=clerk.bearer(user="user_1"))
        assert answer.status_code == 403
    assert (await gateway.get("/api/v1/admin/x", headers=clerk.bearer(role="admin"))).status_code == 403
    assert (await gateway.get("/api/v1/auth/verify", headers=clerk.bearer(org=None))).status_code == 403
    denied = await gateway.put("/api/v1/cliniko/connection/org_north?do=deny", headers=clerk.bearer())
    assert denied.status_code == 403
    assert (await gateway.get("/api/v1/patients/org_south/patients")).status_code == 401
    events = await told(broker, 6)  # the first may have gone before the others came
    measured = samples(await gateway.get("/metrics"))
    assert measured["routiq_broker_connected"] == 1
    assert time.time() - measured['routiq_loop_turned_timestamp_seconds{loop="refusals"}'] < 30
    assert measured['routiq_loop_period_seconds{loop="refusals"}'] == SECONDS_APART
    found = {event.reason: event for event in events}
    assert Counter(event.reason for event in events for _ in range(event.count)) == {
        "other_organization": 3,
        "operators_only": 1,
        "no_organization": 1,
        "role": 1,
    }
    other = found["other_organization"]
    assert (other.wanted_organization_id, other.organization_id) == ("org_south", "org_north")
    assert (other.user_id, other.role, other.method, other.route) == ("user_1", None, "GET", PATIENTS)
    assert "4711" not in other.model_dump_json()
    assert (found["operators_only"].organization_id, found["operators_only"].role) == ("org_north", "admin")
    assert found["no_organization"].organization_id == "org_platform"
    assert (found["role"].organization_id, found["role"].role, found["role"].method) == ("org_north", "member", "PUT")


async def test_what_is_waiting_when_the_gateway_stops_is_told_before(broker: Broker) -> None:
    await told(broker, 0)  # there is a queue: what finds none is told an hour later
    refusals = Refusals(broker.url, seconds_apart=3600)
    async with announcing(refusals):
        refusals.note(refusal(), "first")
        await told(broker, 1)
        refusals.note(refusal("user_2"), "later")
    assert [event.user_id for event in await told(broker, 1)] == ["user_2"]
    assert refusals.waiting == 0


async def test_refusals_while_the_broker_is_away_are_told_when_it_is_back(
    broker: Broker, cable: Cable, unused_tcp_port: int
) -> None:
    refusals = Refusals(by_way_of(unused_tcp_port, broker), seconds_apart=0.05)
    async with announcing(refusals):
        for _ in range(2):
            refusals.note(refusal(), "before it was there")
        await cable.mend()
        assert [event.count for event in await told(broker, 2)] == [2]
        await confirmed(refusals)
        await cable.cut()
        for _ in range(3):
            refusals.note(refusal(), "while it was away")
        await cable.mend()
        assert [event.count for event in await told(broker, 3)] == [3]


async def test_without_a_broker_the_gateway_is_ready_and_says_how_many_refusals_wait(
    start_gateway: Any, clerk: Any, unused_tcp_port: int
) -> None:
    gateway = await start_gateway(amqp_url=f"amqp://127.0.0.1:{unused_tcp_port}/")
    for _ in range(5):
        answer = await gateway.get("/api/v1/patients/org_south/patients", headers=clerk.bearer())
        assert answer.status_code == 403
    assert (await gateway.get("/health/ready")).status_code == 200
    found = samples(await gateway.get("/metrics"))
    assert found["routiq_gateway_refusals_waiting"] == 5
    assert found["routiq_gateway_refusals_oldest_seconds"] > 0
    assert found["routiq_broker_connected"] == 0
