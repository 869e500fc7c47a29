"""Reads that were on record before there was a chain are its beginning."""

from pathlib import Path
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config
from services.admin.tests.conftest import Admin, read
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from admin import handlers
from admin.domain.audit import Head
from chassis.database import engine_url
from contracts.events import PatientRecordsRead

MIGRATIONS = Path(__file__).parents[2] / "migrations"
KEEP = """
    INSERT INTO record_reads (organization_id, event_id, occurred_at, user_id, role, impersonator, route, patient_count,
                              patient_ids)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def upgrade(url: str, revision: str) -> None:
    def go(connection: Connection) -> None:
        connection.execute(text("SET LOCAL search_path TO admin"))
        config = Config(attributes={"connection": connection, "schema": "admin"})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, revision)

    engine = create_async_engine(engine_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(go)
    await engine.dispose()


async def keep(owner: asyncpg.Connection, event: PatientRecordsRead) -> None:
    who = (event.user_id, event.role, event.impersonator, event.route)
    whom = (event.patient_count, event.patient_ids)
    await owner.execute(KEEP, event.organization_id, event.event_id, event.occurred_at, *who, *whom)


async def test_earlier_reads_begin_the_chain_and_it_goes_on_behind_them(
    admin: Admin, owner: asyncpg.Connection, owner_url: str
) -> None:
    await owner.execute("DROP SCHEMA admin CASCADE; CREATE SCHEMA admin; GRANT USAGE ON SCHEMA admin TO routiq_admin")
    await upgrade(owner_url, "0002")
    reads = [read(organization_id, uuid4(), uuid4()) for organization_id in ("org_a", "org_b", "org_a")]
    for event in reads:
        await keep(owner, event)
    await upgrade(owner_url, "head")
    await owner.execute("GRANT SELECT, INSERT ON admin.inbox, admin.organizations TO routiq_admin")
    await admin.receive(reads[0], read("org_a", uuid4()))
    steps = [step async for step in handlers.verify(admin.database)]
    heads = [(step.organization_id, step.verdict.position) for step in steps if isinstance(step.verdict, Head)]
    assert heads == [("org_a", 3), ("org_b", 1)]
