"""What goes wrong raises the alert that says so and no other, and the alert ends when it is put right."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import aio_pika
import asyncpg
import httpx
import pytest
from tests.conftest import HARBOUR, RIDGE, System
from tests.watching.prometheus import Prometheus, until

from contracts.events import FiguresCounted
from contracts.routes import ROUTES

pytestmark = pytest.mark.e2e

SEEN_SECONDS, OVER_SECONDS = 60.0, 90.0
POISONED = "patients.sync.patients.synced.v1"
(FIGURES,) = (route for route in ROUTES if route.event is FiguresCounted)


async def test_cliniko_is_away(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    with _cliniko_away(system_of_our_own):
        system_of_our_own.start_sync(HARBOUR)
        _expect(watched, {"ClinikoAway"})
    system_of_our_own.start_sync(RIDGE)
    _expect(watched, set())


async def test_a_service_hangs(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    with _hanging(system_of_our_own, "analytics"):
        _expect(watched, {"PartDown"})
        assert [labels["job"] for labels in watched.raised("PartDown")] == ["analytics"]
    _expect(watched, set())


async def test_a_queue_is_full(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    event = FiguresCounted(organization_id="org_full_queue", total_patients=0, active_patients=0)
    with _hanging(system_of_our_own, "admin"):
        await _publish(system_of_our_own, FIGURES.queue("admin"), event.model_dump_json().encode(), times=1100)
        _expect(watched, {"PartDown", "QueueBehind"})
        assert [labels["queue"] for labels in watched.raised("QueueBehind")] == [FIGURES.queue("admin")]
    _expect(watched, set())


async def test_a_message_is_poisoned(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    await _publish(system_of_our_own, POISONED, b"poison")
    _expect(watched, {"DeadLetters"})
    assert [labels["queue"] for labels in watched.raised("DeadLetters")] == [POISONED]
    shown = system_of_our_own.command("dead-letters", "list", POISONED).stdout
    assert "ValidationError" in shown
    system_of_our_own.command("dead-letters", "drop", POISONED, "--reason", "unreadable", "--yes")
    _expect(watched, set())


async def test_what_is_on_record_is_tampered_with(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    await _tamper(system_of_our_own, "coalesce(role, '') || 'x'")
    _begin_anew(system_of_our_own, "admin")
    until(lambda: watched.raised("AuditBroken"), SEEN_SECONDS)
    assert "broken at entry 1" in system_of_our_own.command("audit", "verify", check=False).stdout
    await _tamper(system_of_our_own, "nullif(left(role, -1), '')")
    _begin_anew(system_of_our_own, "admin")
    _expect(watched, set())


def _expect(prometheus: Prometheus, alerts: set[str]) -> None:
    """These are raised, and no others."""
    seconds = SEEN_SECONDS if alerts else OVER_SECONDS
    until(lambda: {one["labels"]["alertname"] for one in prometheus.get("alerts")["alerts"]} == alerts, seconds)
    until(lambda: all(prometheus.raised(alert) for alert in alerts), SEEN_SECONDS)


@contextmanager
def _cliniko_away(system: System) -> Iterator[None]:
    order = {"effect": "status", "status": 503, "times": 0}
    httpx.post(f"{system.cliniko}/_control/faults", json=order).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(f"{system.cliniko}/_control/faults").raise_for_status()


@contextmanager
def _hanging(system: System, name: str) -> Iterator[None]:
    pid = int(system.process(name)["pid"]["number"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)  # as its page says; whoever watches over it starts it anew


def _begin_anew(system: System, name: str) -> None:
    pid = int(system.process(name)["pid"]["number"])
    os.kill(pid, signal.SIGKILL)
    until(lambda: system.process(name)["pid"]["number"] != pid, 30)
    system.until_ready()


async def _publish(system: System, queue: str, body: bytes, times: int = 1) -> None:
    async with await aio_pika.connect(system.broker_url) as connection:
        channel = await connection.channel()
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await asyncio.gather(*(channel.default_exchange.publish(message, queue) for _ in range(times)))


async def _tamper(system: System, role: str) -> None:
    owner = await asyncpg.connect(system.owner_url)
    try:
        change = f"UPDATE admin.audit_entries SET role = {role} WHERE organization_id = $1 AND position = 1"
        assert await owner.execute(change, HARBOUR) == "UPDATE 1"
    finally:
        await owner.close()
