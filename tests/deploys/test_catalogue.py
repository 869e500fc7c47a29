"""What a revision takes away is found, whatever it is, and what it only adds is not."""

import secrets
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from conftest import PostgresServer
from tests.deploys.catalogue import Catalogue, word

BEFORE = """
    CREATE ROLE routiq_{schema};
    CREATE SCHEMA {schema};
    SET search_path TO {schema};
    CREATE TABLE runs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, role text, code text UNIQUE, day date);
    CREATE UNIQUE INDEX one_a_day ON runs (day) WHERE code IS NULL;
    CREATE FUNCTION claim(moment timestamptz) RETURNS text LANGUAGE sql RETURN 'x';
    GRANT SELECT, INSERT, UPDATE, DELETE ON runs TO routiq_{schema};
    GRANT USAGE ON SEQUENCE runs_id_seq TO routiq_{schema};
"""
CLAIM = "{schema}.claim(timestamp with time zone)"
TAKEN = {
    "ALTER TABLE runs DROP COLUMN role": {"{schema}.runs.role"},
    "ALTER TABLE runs ALTER COLUMN role TYPE uuid USING NULL": {"{schema}.runs.role"},
    "ALTER TABLE runs ALTER COLUMN role SET NOT NULL": {"{schema}.runs.role"},
    "ALTER TABLE runs ADD COLUMN more text NOT NULL": {"{schema}.runs.more"},
    "ALTER TABLE runs ADD CHECK (day > '2020-01-01')": {"{schema}.runs CHECK ((day > '2020-01-01'::date))"},
    "CREATE UNIQUE INDEX ON runs (role)": {"{schema}.runs UNIQUE btree (role)"},
    "ALTER TABLE runs DROP CONSTRAINT runs_pkey": {"{schema}.runs UNIQUE btree (id)"},
    "ALTER TABLE runs DROP CONSTRAINT runs_code_key": {"{schema}.runs UNIQUE btree (code)"},
    "DROP INDEX one_a_day": {"{schema}.runs UNIQUE btree (day) WHERE (code IS NULL)"},
    "DROP FUNCTION claim": {CLAIM},
    "DROP FUNCTION claim; CREATE FUNCTION claim(timestamptz) RETURNS int LANGUAGE sql RETURN 1": {CLAIM},
    "REVOKE EXECUTE ON FUNCTION claim FROM PUBLIC": {f"{CLAIM} EXECUTE"},
    "REVOKE DELETE ON runs FROM routiq_{schema}": {"{schema}.runs DELETE"},
    "REVOKE UPDATE ON runs FROM routiq_{schema}; GRANT UPDATE (role, code, day) ON runs TO routiq_{schema}": {
        "{schema}.runs.id UPDATE"
    },
    "REVOKE USAGE ON SEQUENCE runs_id_seq FROM routiq_{schema}": {"{schema}.runs_id_seq USAGE"},
    "ALTER TABLE runs ADD COLUMN more text NOT NULL DEFAULT ''": set(),
    "CREATE TABLE other (more text PRIMARY KEY CHECK (more <> ''))": set(),
    "CREATE INDEX ON runs (role)": set(),
    "ALTER TABLE runs RENAME CONSTRAINT runs_code_key TO code": set(),
}


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[tuple[asyncpg.Connection, str, str]]:
    """Its owner's connection and address, and the schema in it."""
    server, schema = await asyncpg.connect(postgres.url), f"taken_{secrets.token_hex(4)}"
    await server.execute(f"CREATE DATABASE {schema}")
    url = urlsplit(postgres.url)._replace(path=f"/{schema}").geturl()
    owner = await asyncpg.connect(url)
    await owner.execute(BEFORE.format(schema=schema))
    yield owner, url, schema
    await owner.close()
    await server.execute(f"DROP DATABASE {schema}")
    await server.execute(f"DROP ROLE routiq_{schema}")
    await server.close()


@pytest.mark.parametrize("statements", TAKEN)
async def test_what_a_revision_takes_away_is_found(
    database: tuple[asyncpg.Connection, str, str], statements: str
) -> None:
    owner, url, schema = database
    older = await Catalogue.read(url, [schema])
    await owner.execute(statements.format(schema=schema))
    newer = await Catalogue.read(url, [schema])
    assert older.taken_by(newer) == {one.format(schema=schema) for one in TAKEN[statements]}


@pytest.mark.parametrize(
    ("taken", "named"),
    [
        ("sync.runs.role", "role"),
        ("sync.claim()", "claim"),
        ("sync.claim_due(timestamp with time zone,integer) EXECUTE", "claim_due"),
        ("sync.runs UNIQUE btree (code)", None),
        ("sync.runs.id UPDATE", None),
    ],
)
def test_what_is_taken_away_is_looked_for_by_its_name(taken: str, named: str | None) -> None:
    assert word(taken) == named
