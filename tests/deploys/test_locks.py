"""A migration that cannot have a table at once keeps nobody else from it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from conftest import PostgresServer
from sqlalchemy.exc import DBAPIError

from chassis.migrations import Schema, migrate

ENVIRONMENT = "from chassis.migrations import run\n\nrun()\n"
REVISION = """
from alembic import op

revision, down_revision = {revision!r}, {before!r}


def upgrade():
    op.execute({statement!r})
"""


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database of its own."""
    owner, name = await asyncpg.connect(postgres.url), f"locks_{secrets.token_hex(4)}"
    await owner.execute(f"CREATE DATABASE {name}")
    yield urlsplit(postgres.url)._replace(path=f"/{name}").geturl()
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.execute(f"DROP ROLE routiq_{name}")
    await owner.close()


async def test_readers_pass_a_migration_that_waits_for_a_long_transaction(url: str, tmp_path: Path) -> None:
    schema = await _with_notes(url, tmp_path)
    _write(tmp_path, "0002", "0001", "ALTER TABLE notes ADD COLUMN more text")
    long, reader = await asyncpg.connect(url), await asyncpg.connect(url)
    notes = f"{schema.name}.notes"
    async with long.transaction():
        await long.fetch(f"SELECT body FROM {notes}")
        migrating = asyncio.create_task(migrate(url, [schema]))
        await _until_somebody_waits(reader)
        await reader.fetch(f"SELECT body FROM {notes}")  # else it would wait for the long one, which waits for it
        assert not migrating.done()
    await migrating
    assert await reader.fetch(f"SELECT more FROM {notes}") == []
    await long.close()
    await reader.close()


async def test_a_revision_takes_an_index_that_was_built_beside_the_writers_before_it(url: str, tmp_path: Path) -> None:
    schema = await _with_notes(url, tmp_path)
    _write(tmp_path, "0002", "0001", "CREATE INDEX CONCURRENTLY by_body ON notes (body)")
    with pytest.raises(DBAPIError, match="cannot run inside a transaction block"):
        await migrate(url, [schema])
    owner = await asyncpg.connect(url)
    await owner.execute(f"CREATE INDEX CONCURRENTLY by_body ON {schema.name}.notes (body)")
    _write(tmp_path, "0002", "0001", "CREATE INDEX IF NOT EXISTS by_body ON notes (body)")
    await migrate(url, [schema])
    assert await owner.fetchval("SELECT count(*) FROM pg_indexes WHERE schemaname = $1", schema.name) == 2
    await owner.close()


async def _with_notes(url: str, directory: Path) -> Schema:
    """Migrated to its first revision, which has a table."""
    schema = Schema(urlsplit(url).path[1:], directory, "unused")
    (directory / "versions").mkdir()
    (directory / "env.py").write_text(ENVIRONMENT)
    _write(directory, "0001", None, "CREATE TABLE notes (body text)")
    await migrate(url, [schema])
    return schema


async def _until_somebody_waits(connection: asyncpg.Connection) -> None:
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock')"
    async with asyncio.timeout(10):
        while not await connection.fetchval(waiting):
            await asyncio.sleep(0.05)


def _write(directory: Path, revision: str, before: str | None, statement: str) -> None:
    text = REVISION.format(revision=revision, before=before, statement=statement)
    (directory / "versions" / f"{revision}.py").write_text(text)
