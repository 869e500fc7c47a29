"""What a service's role may and may not do in the database it gets."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from chassis.database import Database
from chassis.migrations import Schema, migrate

ENV = "from chassis.migrations import run\n\nrun()\n"
FIRST = """
from alembic import op
from chassis.migrations import create_outbox_and_inbox, separate_tenants

revision = "0001"
down_revision = None


def upgrade():
    create_outbox_and_inbox()
    op.execute("CREATE TABLE notes (organization_id text, body text)")
    separate_tenants("notes")
"""


SECOND = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("ALTER TABLE notes ADD COLUMN written_at timestamptz")
"""


def directory(at: Path) -> Path:
    (at / "versions").mkdir(parents=True)
    (at / "env.py").write_text(ENV)
    (at / "versions" / "0001_first.py").write_text(FIRST)
    return at


@pytest.fixture
async def schemas(postgres: Any, tmp_path: Path) -> AsyncIterator[tuple[str, list[Schema]]]:
    tag, owner = secrets.token_hex(4), await asyncpg.connect(postgres.url)
    names = [f"left_{tag}", f"right_{tag}"]
    await owner.execute(f"CREATE DATABASE trial_{tag}")
    url = postgres.url.rpartition("/")[0] + f"/trial_{tag}"
    schemas = [Schema(name, directory(tmp_path / name), f"it's {name}") for name in names]
    yield url, schemas
    await owner.execute(f"DROP DATABASE trial_{tag} WITH (FORCE)")
    for name in names:
        await owner.execute(f"DROP ROLE IF EXISTS routiq_{name}")
    await owner.close()


def database_of(url: str, schema: Schema) -> Database:
    address = url.rpartition("@")[2]
    password = quote(schema.password or "")
    return Database(f"postgresql://routiq_{schema.name}:{password}@{address}", schema.name)


async def test_migrations_can_be_repeated_and_run_at_the_same_time(schemas: tuple[str, list[Schema]]) -> None:
    url, both = schemas
    await asyncio.gather(migrate(url, both), migrate(url, both))
    await migrate(url, both)
    owner = await asyncpg.connect(url)
    assert await owner.fetchval(f"SELECT version_num FROM {both[0].name}.alembic_version") == "0001"
    await owner.close()


async def test_the_release_before_leaves_a_newer_schema_as_it_is(schemas: tuple[str, list[Schema]]) -> None:
    """What `migrations` does when one goes back: it succeeds, or nothing else would start."""
    url, (left, right) = schemas
    newer = left.directory / "versions" / "0002_second.py"
    newer.write_text(SECOND)
    assert await migrate(url, [left, right]) == []
    newer.unlink()
    assert await migrate(url, [left, right]) == [left.name]
    database = database_of(url, left)
    async with database.transaction("org_a") as connection:
        await connection.execute(text("INSERT INTO notes VALUES ('org_a', 'x', now())"))
    await database.close()


async def test_the_password_of_a_role_is_set_on_a_newer_schema_too(schemas: tuple[str, list[Schema]]) -> None:
    url, (left, right) = schemas
    await migrate(url, [left, right])
    await set_revision(url, left, "0002")
    changed = replace(left, password="another")
    assert await migrate(url, [changed]) == [left.name]
    database = database_of(url, changed)
    assert await database.answers()
    await database.close()


async def test_a_revision_that_is_unknown_and_not_newer_is_refused(schemas: tuple[str, list[Schema]]) -> None:
    url, (left, _) = schemas
    await migrate(url, [left])
    await set_revision(url, left, "0000")
    with pytest.raises(CommandError, match="0000"):
        await migrate(url, [left])


async def set_revision(url: str, schema: Schema, revision: str) -> None:
    owner = await asyncpg.connect(url)
    await owner.execute(f"UPDATE {schema.name}.alembic_version SET version_num = '{revision}'")
    await owner.close()


async def test_a_role_keeps_its_password_where_none_is_given_and_is_not_made_without(
    schemas: tuple[str, list[Schema]],
) -> None:
    url, (left, right) = schemas
    await migrate(url, [left])
    await migrate(url, [replace(left, password=None)])
    async with database_of(url, left).transaction() as connection:
        await connection.execute(text("SELECT * FROM outbox"))
    with pytest.raises(DBAPIError, match=f'role "routiq_{right.name}" does not exist'):
        await migrate(url, [replace(right, password=None)])


async def test_a_service_sees_its_own_schema_only(schemas: tuple[str, list[Schema]]) -> None:
    url, (left, right) = schemas
    await migrate(url, [left, right])
    database = database_of(url, left)
    async with database.transaction() as connection:
        await connection.execute(text("SELECT * FROM outbox"))
    with pytest.raises(ProgrammingError):
        async with database.transaction() as connection:
            await connection.execute(text(f"SELECT * FROM {right.name}.outbox"))
    with pytest.raises(ProgrammingError):
        async with database.transaction() as connection:
            await connection.execute(text("CREATE TABLE more (x integer)"))
    await database.close()


async def test_a_service_keeps_its_way_in_while_anothers_schema_is_migrated(schemas: tuple[str, list[Schema]]) -> None:
    """A database of before it was closed to everybody, or one restored: its services came in as anybody may."""
    url, (left, right) = schemas
    await migrate(url, [left])
    owner, name = await asyncpg.connect(url), url.rpartition("/")[2]
    await owner.execute(f"GRANT CONNECT ON DATABASE {name} TO PUBLIC")
    await owner.execute(f"REVOKE CONNECT ON DATABASE {name} FROM routiq_{left.name}")
    await owner.close()
    await migrate(url, [right])
    database = database_of(url, left)
    async with database.transaction() as connection:
        await connection.execute(text("SELECT * FROM outbox"))
        public = "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
        assert not await connection.scalar(text(public))
    await database.close()


async def test_rows_of_another_organization_can_neither_be_seen_nor_written(schemas: tuple[str, list[Schema]]) -> None:
    url, (left, _) = schemas
    await migrate(url, [left])
    database = database_of(url, left)
    async with database.transaction("org_a") as connection:
        await connection.execute(text("INSERT INTO notes VALUES ('org_a', 'x')"))
        assert await connection.scalar(text("SELECT count(*) FROM notes")) == 1
    for organization_id in ("org_b", None):
        async with database.transaction(organization_id) as connection:
            assert await connection.scalar(text("SELECT count(*) FROM notes")) == 0
    with pytest.raises(ProgrammingError):
        async with database.transaction("org_b") as connection:
            await connection.execute(text("INSERT INTO notes VALUES ('org_a', 'y')"))
    with pytest.raises(ProgrammingError):
        async with database.transaction() as connection:
            await connection.execute(text("ALTER TABLE notes DISABLE ROW LEVEL SECURITY"))
    await database.close()
