"""Prometheus knows whether the chains are whole, and how much is put on record."""

import time
from uuid import uuid4

import asyncpg
from prometheus_client import REGISTRY
from services.admin.tests.conftest import Admin, read

from admin.entrypoints.watch import walk


def measured(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_broken_chain_is_measured_until_it_is_whole_again(admin: Admin, owner: asyncpg.Connection) -> None:
    await admin.receive(read("org_a", uuid4()), read("org_b", uuid4()))
    await walk(admin.database)
    assert measured("routiq_audit_broken_chains") == 0
    await owner.execute("UPDATE audit_entries SET user_id = 'user_x' WHERE organization_id = 'org_b'")
    known = await walk(admin.database)
    assert measured("routiq_audit_broken_chains") == known == 1
    await owner.execute("UPDATE audit_entries SET user_id = 'user_1' WHERE organization_id = 'org_b'")
    await walk(admin.database, known)
    assert measured("routiq_audit_broken_chains") == 0
    assert time.time() - measured("routiq_audit_verified_seconds") < 60


async def test_what_is_put_on_record_is_counted_by_kind_and_once(admin: Admin) -> None:
    before = measured("routiq_audit_entries_total", kind="records.read")
    events = [read("org_a", uuid4()) for _ in range(3)]
    await admin.receive(*events, *events)
    assert measured("routiq_audit_entries_total", kind="records.read") - before == 3
