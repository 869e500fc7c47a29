"""What docs/growth.md says of partitions: PostgreSQL would take every table of tenants in parts, by organization."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from conftest import PostgresServer
from tests.deploy.image import SERVICES_WITH_MIGRATIONS

OF_TENANTS = """
    SELECT table_schema || '.' || table_name FROM information_schema.columns JOIN information_schema.tables
    USING (table_schema, table_name)
    WHERE column_name = 'organization_id' AND table_type = 'BASE TABLE' AND table_schema = ANY($1::text[])
"""
FOREIGN_KEYS = "SELECT conrelid::regclass::text || ': ' || conname FROM pg_constraint WHERE contype = 'f'"


@pytest.fixture
async def owner(postgres: PostgresServer, migrated_template: tuple[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """In the migrated database, in a transaction that is given up."""
    connection = await asyncpg.connect(f"{postgres.url.rpartition('/')[0]}/{migrated_template[0]}")
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_every_table_of_tenants_could_be_parted_by_organization(owner: asyncpg.Connection) -> None:
    """PostgreSQL refuses it where a unique index does not have the column by which rows are parted."""
    tables = [row[0] for row in await owner.fetch(OF_TENANTS, list(SERVICES_WITH_MIGRATIONS))]
    assert {"patients.patients", "analytics.patients", "sync.runs"} <= set(tables)
    for table in tables:
        parted = f"(LIKE {table} INCLUDING ALL) PARTITION BY HASH (organization_id)"
        await owner.execute(f"CREATE TABLE {table}_parted {parted}")
        await owner.execute(
            f"CREATE TABLE {table}_0 PARTITION OF {table}_parted FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
        )


async def test_no_foreign_key_stands_in_the_way(owner: asyncpg.Connection) -> None:
    assert await owner.fetch(FOREIGN_KEYS) == []


async def test_a_unique_index_without_the_organization_would_be_noticed(owner: asyncpg.Connection) -> None:
    await owner.execute("CREATE TABLE patients.slips (organization_id text, number integer UNIQUE)")
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await test_every_table_of_tenants_could_be_parted_by_organization(owner)
