"""Prometheus knows whether the chains are whole, and how much is put on record."""

import asyncio
import json
import subprocess
import sys
import time
from uuid import uuid4

import asyncpg
from prometheus_client import REGISTRY
from services.admin.tests.conftest import Admin, read

from admin import handlers
from admin.domain.audit import Head
from admin.entrypoints.watch import walk

WALK_TWICE = """
import asyncio, sys
from admin.entrypoints.watch import walk
from chassis import logs
from chassis.database import Database

async def walk_twice(database, seen):
    for _ in range(2):
        await walk(database, seen)
    await database.close()

logs.configure("admin", "INFO")
asyncio.run(walk_twice(Database(sys.argv[1], "admin", connections=2), {}))
"""


def python(script: str, *arguments: str) -> str:
    """What a process of its own writes: metrics and log belong to a whole process."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def measured(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_broken_chain_is_measured_until_it_is_whole_again(admin: Admin, owner: asyncpg.Connection) -> None:
    await admin.receive(read("org_a", uuid4()), read("org_b", uuid4()))
    await walk(admin.database, {})
    assert measured("routiq_audit_broken_chains") == 0
    await owner.execute("UPDATE audit_entries SET user_id = 'user_x' WHERE organization_id = 'org_b'")
    known = await walk(admin.database, {})
    assert measured("routiq_audit_broken_chains") == known == 1
    await owner.execute("UPDATE audit_entries SET user_id = 'user_1' WHERE organization_id = 'org_b'")
    await walk(admin.database, {}, known)
    assert measured("routiq_audit_broken_chains") == 0
    assert time.time() - measured("routiq_audit_verified_seconds") < 60


async def test_the_watch_notices_by_itself_that_all_is_gone(admin: Admin, owner: asyncpg.Connection) -> None:
    seen: dict[str, Head] = {}
    await admin.receive(read("org_a", uuid4()), read("org_b", uuid4()))
    assert await walk(admin.database, seen) == 0
    await owner.execute("TRUNCATE audit_entries, audit_heads, audit_witnesses, organizations")
    assert await walk(admin.database, seen) == 2
    assert await walk(admin.database, {}) == 0  # what decision 19 says is not noticed


async def test_a_head_is_named_in_the_log_when_it_has_moved(admin: Admin) -> None:
    await admin.receive(read("org_a", uuid4()))
    done = await asyncio.to_thread(python, WALK_TWICE, admin.url)
    (line,) = [json.loads(line) for line in done.splitlines()]
    assert (line["event"], line["organization_id"], line["position"]) == ("audit chain whole", "org_a", 1)
    verdicts = [step.verdict async for step in handlers.verify(admin.database)]
    assert [line["hash"]] == [head.hash.hex() for head in verdicts if isinstance(head, Head)]


def test_nothing_is_said_of_chains_before_one_was_gone_along() -> None:
    exported = "from admin.entrypoints import watch; from prometheus_client import generate_latest as all; print(all())"
    said = python(exported)
    assert "routiq_audit_verified_seconds" in said
    assert "routiq_audit_broken_chains" not in said


async def test_what_is_put_on_record_is_counted_by_kind_and_once(admin: Admin) -> None:
    before = measured("routiq_audit_entries_total", kind="records.read")
    events = [read("org_a", uuid4()) for _ in range(3)]
    await admin.receive(*events, *events)
    assert measured("routiq_audit_entries_total", kind="records.read") - before == 3
