"""Every command of the runbooks does what its page says, on a system that has met what the pages are for."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aio_pika
import asyncpg
import httpx
import pytest
from tests.conftest import HARBOUR, KEYS, System
from tests.shell import Shell, blocks
from tests.watching.prometheus import until
from tests.watching.test_runbooks import ROOT

from chassis.topology import DEAD

pytestmark = pytest.mark.e2e

PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"), key=lambda page: (page.stem != "README", page.stem))
POISONED = "patients.sync.patients.synced.v1"
NOT_RUN = {
    "https://api.au1.cliniko.com": "asks Cliniko itself",
    "rabbitmq-diagnostics": "of a broker that this system has not: test_broker_commands",
    "rabbitmqctl": "of a broker that this system has not: test_broker_commands",
    "redis-cli": "of the store of the rate limits, which this system has not",
}
SAYS = {
    "$ROUTIQ audit verify ": "entries|whole",
    "verify-audit ORG": r'"head": \d+',
    "pg_has_role": "^ routiq",
    "/api/v1/sync/history/": '"status":"failed"',
    "/api/v1/admin/audit/": '"kind":"records.read"',
    "/api/v1/admin/dead-letters/QUEUE\n": "ValidationError",
    "dead-letters/redrive": POISONED,
    "/drop?reason=": r'"dropped":\["',
    "grep '\"run failed\"'": '"event":"run failed"',
    "grep '\"message failed\"'": "ValidationError",
    "$GATEWAY/health": "healthy",
    "/health/ready": "ready",
    "$ROUTIQ status": "analytics",
    "$GATEWAY/api/v1/sync/cancel": "cancelled",
    "$ROUTIQ sync": "100.0 %.*Completed",
    "cliniko/test-connection": '"success":true',
    "pg_terminate_backend": "^ t$",
    "now() - xact_start": "idle in transaction",
    "$CLERK_JWKS_URL": '"kid"',
}
"""What stands in the answer to a block that holds this."""


@pytest.fixture(scope="module")
def shell(system_of_our_own: System) -> Shell:
    """What the pages are for has happened: a poisoned message, a run that failed, records that were read."""
    (system_of_our_own.home / ".venv").symlink_to(sys.prefix)
    order = {"effect": "status", "status": 503, "times": 0}
    httpx.post(f"{system_of_our_own.cliniko}/_control/faults", json=order).raise_for_status()
    sync_id = system_of_our_own.start_sync(HARBOUR)
    progress = f"/api/v1/sync/progress/{sync_id}"
    until(lambda: system_of_our_own.get(progress, HARBOUR)["status"] == "failed", 120)
    httpx.delete(f"{system_of_our_own.cliniko}/_control/faults").raise_for_status()
    system_of_our_own.cliniko_settings(latency_ms=200)  # a run is still under way when it is to be cancelled
    clerk = f"http://127.0.0.1:{system_of_our_own.environment['CLERK_PORT']}/.well-known/jwks.json"
    system_of_our_own.command("backup", "--to", "backups")
    settings = {"DATABASE_URL": system_of_our_own.owner_url, "CLERK_JWKS_URL": clerk}
    return Shell(system_of_our_own, blocks(PAGES[0])[0], settings)


@pytest.fixture
async def names(shell: Shell) -> AsyncIterator[dict[str, str]]:
    """What an operator fills in, new for each page: some commands use things up."""
    system = shell.system
    await _poison(system)
    system.connect(HARBOUR, KEYS[HARBOUR])
    patients = system.get(f"/api/v1/patients/{HARBOUR}/patients?limit=1", HARBOUR)["patients"]
    forgotten = await asyncpg.connect(system.owner_url)
    await forgotten.execute("BEGIN")
    yield {
        "ORG": HARBOUR,
        "PATIENT": patients[0]["id"],
        "BACKUP": str(next((system.home / "backups").iterdir())),
        "QUEUE": POISONED,
        "NUMBER": str(system.process("analytics")["pid"]["number"]),
        "PID": str(forgotten.get_server_pid()),
        "TOKEN": system.token(HARBOUR),
        '"..."': f'"{KEYS[HARBOUR]}"',
        "2026-10-01T00:00:00Z": f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "2026-11-01T00:00:00Z": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    forgotten.terminate()
    system.until_ready()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
async def test_the_commands_of_a_page_do_what_it_says(shell: Shell, names: dict[str, str], page: Path) -> None:
    for block in blocks(page):
        if "SYNC_ID" in block:
            names["SYNC_ID"] = shell.system.start_sync(HARBOUR)
        if any(reason in block for reason in NOT_RUN):
            continue
        done = await asyncio.to_thread(shell.run, block, names)
        assert done.returncode == 0, block + done.stdout + done.stderr
        for part, answer in SAYS.items():
            assert part not in block or re.search(answer, done.stdout, re.MULTILINE), block + done.stdout + done.stderr
        assert "curl" not in block or '"error":"' not in done.stdout, block + done.stdout  # logs may tell of errors


def test_what_is_said_of_commands_is_of_one_that_is_there() -> None:
    commands = "".join(block for page in PAGES for block in blocks(page))
    assert [part for part in (*NOT_RUN, *SAYS) if part not in commands] == []


async def _poison(system: System) -> None:
    async with await aio_pika.connect(system.broker_url) as connection:
        channel = await connection.channel()
        dead = await channel.get_queue(POISONED + DEAD)
        await dead.purge()
        await channel.default_exchange.publish(aio_pika.Message(b"poison"), POISONED)
        while not (await channel.declare_queue(POISONED + DEAD, passive=True)).declaration_result.message_count:
            await asyncio.sleep(0.1)
