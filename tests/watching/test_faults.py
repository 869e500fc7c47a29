"""What goes wrong raises the alert that says so and no other, and shows on a dashboard, until it is put right."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import aio_pika
import asyncpg
import httpx
import pytest
from tests.conftest import HARBOUR, RIDGE, System
from tests.shell import Shell, blocks
from tests.watching.dashboards import panel
from tests.watching.prometheus import Prometheus, until
from tests.watching.test_runbooks import ROOT

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
        _see(watched, "sync", "Is Cliniko answering?", 0.01, outcome="failed")
    system_of_our_own.start_sync(RIDGE)
    _expect(watched, set())


async def test_a_service_hangs(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    with _hanging(system_of_our_own, "analytics"):
        _expect(watched, {"PartDown"})
        assert [labels["job"] for labels in watched.raised("PartDown")] == ["analytics"]
        _see(watched, "overview", "Parts that do not", 1)
    _expect(watched, set())


async def test_a_queue_is_full(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    event = FiguresCounted(organization_id="org_full_queue", total_patients=0, active_patients=0)
    with _hanging(system_of_our_own, "admin"):
        await _publish(system_of_our_own, FIGURES.queue("admin"), event.model_dump_json().encode(), times=1100)
        _expect(watched, {"PartDown", "QueueBehind"})
        assert [labels["queue"] for labels in watched.raised("QueueBehind")] == [FIGURES.queue("admin")]
        _see(watched, "messaging", "How much waits?", 1001, queue=FIGURES.queue("admin"))
    _expect(watched, set())


async def test_a_message_is_poisoned(system_of_our_own: System, watched: Prometheus) -> None:
    _expect(watched, set())
    await _publish(system_of_our_own, POISONED, b"poison")
    _expect(watched, {"DeadLetters"})
    assert [labels["queue"] for labels in watched.raised("DeadLetters")] == [POISONED]
    _see(watched, "messaging", "Dead letters", 1, queue=POISONED)
    shown = system_of_our_own.command("dead-letters", "list", POISONED).stdout
    assert "ValidationError" in shown
    system_of_our_own.command("dead-letters", "drop", POISONED, "--reason", "unreadable", "--yes")
    _expect(watched, set())


@pytest.mark.timeout(600)
async def test_what_is_on_record_is_tampered_with(system_of_our_own: System, watched: Prometheus) -> None:
    """And put right by the commands of the alert's page."""
    _expect(watched, set())
    system_of_our_own.command("backup", "--to", "backups")
    await _tamper(system_of_our_own)
    _begin_anew(system_of_our_own, "admin")
    until(lambda: watched.raised("AuditBroken"), SEEN_SECONDS)
    _see(watched, "database", "Are the audit chains whole?", 1)
    assert "broken at entry 1" in system_of_our_own.command("audit", "verify", check=False).stdout
    said = _follow(system_of_our_own, "AuditBroken", ("pg_dump", "pg_has_role", "pg_restore", "--single-transaction"))
    assert "whoever else" in said  # the difference to the backup
    assert "The audit chain is whole." in said
    _begin_anew(system_of_our_own, "admin")
    _expect(watched, set())


def _expect(prometheus: Prometheus, alerts: set[str]) -> None:
    """These are raised, and no others."""
    seconds = SEEN_SECONDS if alerts else OVER_SECONDS
    until(lambda: {one["labels"]["alertname"] for one in prometheus.get("alerts")["alerts"]} == alerts, seconds)
    until(lambda: all(prometheus.raised(alert) for alert in alerts), SEEN_SECONDS)


def _see(prometheus: Prometheus, board: str, title: str, least: float, **labels: str) -> None:
    """Whoever looks at that panel sees a line of these labels reach that height."""

    def seen() -> bool:
        lines = [line for expr in panel(board, title) for line in prometheus.query(expr)]
        return any(labels.items() <= line["metric"].items() and float(line["value"][1]) >= least for line in lines)

    until(seen, SEEN_SECONDS)


def _follow(system: System, page: str, parts: tuple[str, ...]) -> str:
    """Do what the page says in the blocks that hold these words."""
    runbooks = ROOT / "docs" / "runbooks"
    (system.home / ".venv").symlink_to(sys.prefix)
    shell = Shell(system, blocks(runbooks / "README.md")[0], {"DATABASE_URL": system.owner_url})
    names = {"ORG": HARBOUR, "BACKUP": str(next((system.home / "backups").iterdir()))}
    chosen = [block for block in blocks(runbooks / f"{page}.md") if any(part in block for part in parts)]
    assert len(chosen) == len(parts)
    said = ""
    for block in chosen:
        done = shell.run(block, names)
        assert done.returncode == 0, block + done.stdout + done.stderr
        said += done.stdout
    return said


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


async def _tamper(system: System) -> None:
    owner = await asyncpg.connect(system.owner_url)
    try:
        change = "UPDATE admin.audit_entries SET role = 'whoever else' WHERE organization_id = $1 AND position = 1"
        assert await owner.execute(change, HARBOUR) == "UPDATE 1"
    finally:
        await owner.close()
