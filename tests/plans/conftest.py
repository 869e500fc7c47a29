"""Hundreds of clinics, so that PostgreSQL plans as it does in earnest: what is small it reads from end to end."""

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from read_clinics import Clinic
from read_loading import loader

CLINICS = [Clinic(number, patients=40) for number in range(1, 201)]
NO_LONGER_HERE = 3_000
"""Organizations of which only a run, a connection and removals are known."""

OTHERS = (
    """
    INSERT INTO patients.last_runs (organization_id, completed_at, full_sweep_at)
    SELECT 'org_gone_' || n, now(), now() FROM generate_series(1, $1::integer) AS n
    """,
    """
    INSERT INTO analytics.runs (
        organization_id, sync_id, revision, mode, status, started_at, completed_at,
        records_processed, records_success, records_failed
    )
    SELECT 'org_gone_' || n, 'sync_org_gone_' || n, 1, 'basic', 'completed', now(), now(), 0, 0, 0
    FROM generate_series(1, $1::integer) AS n
    """,
    """
    INSERT INTO analytics.connections (organization_id, revision, connected, credentials_valid)
    SELECT 'org_gone_' || n, 1, true, true FROM generate_series(1, $1::integer) AS n
    """,
    """
    INSERT INTO analytics.clinic_figures
    SELECT 'org_gone_' || n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM generate_series(1, $1::integer) AS n
    """,
    """
    INSERT INTO patients.removals (organization_id, kind, cliniko_id, sequence)
    SELECT 'org_gone_' || n, 'patient', '1', 1 FROM generate_series(1, $1::integer) AS n
    """,
    """
    INSERT INTO analytics.removals (organization_id, kind, cliniko_id, sequence)
    SELECT 'org_gone_' || n, 'patient', '1', 1 FROM generate_series(1, $1::integer) AS n
    """,
)
EMPTY = """
    SELECT format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class
    WHERE relrowsecurity AND pg_relation_size(oid) = 0
"""

UrlOf = Callable[[str], str]
"""The address of the loaded database for a service."""


class Server(Protocol):
    """The root conftest's PostgreSQL."""

    url: str


@pytest.fixture(scope="session")
async def loaded(postgres: Server, migrated_template: tuple[str, str]) -> AsyncIterator[UrlOf]:
    template, password = migrated_template
    name = f"test_plans_{secrets.token_hex(6)}"
    owner_url = make_url(postgres.url).set(database=name)

    def url_of(service: str) -> str:
        url = owner_url.set(username=f"routiq_{service}", password=password)
        return url.render_as_string(hide_password=False)

    server = await asyncpg.connect(postgres.url)
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    owner = owner_url.render_as_string(hide_password=False)
    async with loader(owner, url_of("patients"), url_of("analytics"), with_baseline=False) as loading:
        for statement in OTHERS:
            await loading.owner.execute(statement, NO_LONGER_HERE)
        await loading.load(CLINICS, lambda _: None)
        for (table,) in await loading.owner.fetch(EMPTY):
            # What is known to be empty is read from end to end; now nothing is known of it but that it may grow.
            await loading.owner.execute(f"TRUNCATE {table}")
        yield url_of
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()
