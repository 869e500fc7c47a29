"""What a service's login can do to the others' data, on a PostgreSQL set up as the deployed one."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest

from chassis.migrations import Schema, migrate
from routiq.accounts import unprivileged
from routiq.plan import WITH_A_DATABASE, as_role, migrations
from routiq.ports import free_port
from routiq.processes import running
from routiq.servers import binaries
from routiq.servers.postgres import Postgres, ensure_database

CLOSE = Path(__file__).parents[2] / "deploy" / "postgres" / "close.sql"
TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = $1
    UNION ALL SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = $1
"""
FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc AS p WHERE pronamespace = $1::regnamespace
        AND has_function_privilege($2, p.oid, 'EXECUTE') AND has_schema_privilege($2, pronamespace, 'USAGE')
"""
UNGUARDED = """
    SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE attname = 'organization_id' AND relkind IN ('r', 'p', 'v', 'm') AND relnamespace::regnamespace::text = ANY($1)
    AND NOT (relrowsecurity
             AND EXISTS (SELECT FROM pg_policy WHERE polrelid = attrelid AND polname = 'own_organization'))
"""
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError)


@dataclass
class Deployed:
    """PostgreSQL with every service's schema, role and password."""

    url: str
    passwords: Mapping[str, str]

    async def migrate(self) -> None:
        """As the job does before every start."""
        schemas = [Schema(name, migrations(name), self.passwords[name]) for name in WITH_A_DATABASE]
        await migrate(self.url, schemas)

    @contextlib.asynccontextmanager
    async def connected(
        self, service: str | None = None, database: str = "routiq"
    ) -> AsyncIterator[asyncpg.Connection]:
        """As a service, or as the owner."""
        url = as_role(self.url, f"routiq_{service}", self.passwords[service]) if service else self.url
        connection = await asyncpg.connect(url, database=database)
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def deployed(server_home: Path) -> AsyncIterator[Deployed]:
    home, account = server_home / "deployed-postgres", unprivileged()
    found = binaries.within_reach(binaries.find(home, account), account, home)
    server = Postgres(found, home, free_port(), secrets.token_hex(16), account, durable=False)
    async with running(server.program(server_home / "initdb.log"), logs=server_home):
        await ensure_database(server.url(), "routiq")
        postgres = Deployed(server.url("routiq"), {name: secrets.token_hex(24) for name in WITH_A_DATABASE})
        async with postgres.connected(database="postgres") as owner:
            await owner.execute(CLOSE.read_text())
        await postgres.migrate()
        yield postgres
    binaries.forget_copy(home)


@pytest.mark.parametrize("service", WITH_A_DATABASE)
async def test_a_service_reads_and_writes_no_table_of_another(deployed: Deployed, service: str) -> None:
    async with deployed.connected(service) as connection:
        for other in set(WITH_A_DATABASE) - {service}:
            tables = [row[0] for row in await connection.fetch(TABLES, other)]
            assert tables
            for table in tables:
                for statement in (f"SELECT FROM {table}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                    with pytest.raises(REFUSED):
                        await connection.execute(statement)
                with pytest.raises(REFUSED):
                    await connection.execute(f"INSERT INTO {table} DEFAULT VALUES")
            assert await connection.fetch(FUNCTIONS, other, f"routiq_{service}") == []


@pytest.mark.parametrize("service", WITH_A_DATABASE)
async def test_a_service_changes_nothing_about_roles_databases_and_schemas(deployed: Deployed, service: str) -> None:
    attempts = (
        "CREATE ROLE more",
        "CREATE DATABASE more",
        "CREATE SCHEMA more",
        f"CREATE TABLE {service}.more (x integer)",
        "CREATE TABLE public.more (x integer)",
        "CREATE TEMP TABLE more (x integer)",
        f"CREATE EXTENSION dblink SCHEMA {service}",
        f"ALTER ROLE routiq_{service} SUPERUSER",
        f"ALTER ROLE routiq_{service} BYPASSRLS",
        "ALTER ROLE routiq PASSWORD 'known'",
        "SET ROLE routiq",
        "SET SESSION AUTHORIZATION routiq",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT rolpassword FROM pg_authid",
    )
    async with deployed.connected(service) as connection:
        for attempt in attempts:
            with pytest.raises(REFUSED):
                await connection.execute(attempt)
        assert not await connection.fetchval("SELECT has_schema_privilege('public', 'USAGE')")


@pytest.mark.parametrize("service", WITH_A_DATABASE)
async def test_row_level_security_binds_a_service(deployed: Deployed, service: str) -> None:
    own = f"SELECT oid::regclass::text FROM pg_class WHERE relnamespace = '{service}'::regnamespace"
    async with deployed.connected(service) as connection:
        guarded = [row[0] for row in await connection.fetch(f"{own} AND relrowsecurity AND relkind IN ('r', 'p')")]
        assert guarded
        for table in guarded:
            for statement in (f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", f"DROP TABLE {table}"):
                with pytest.raises(REFUSED):
                    await connection.execute(statement)
        await connection.execute("SET row_security = off")  # says: fail rather than hide rows
        for table in guarded:
            with pytest.raises(REFUSED):
                await connection.fetch(f"SELECT * FROM {table}")


async def test_every_table_that_names_an_organization_is_guarded(deployed: Deployed) -> None:
    async with deployed.connected() as owner:
        unguarded = [row[0] for row in await owner.fetch(UNGUARDED, list(WITH_A_DATABASE))]
    assert unguarded == [], "its migration wants `separate_tenants`"


@pytest.mark.parametrize("service", WITH_A_DATABASE)
async def test_a_service_enters_no_other_database(deployed: Deployed, service: str) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(REFUSED):
            async with deployed.connected(service, database):
                pass


async def test_no_login_of_a_service_owns_anything_or_is_more_than_a_login(deployed: Deployed) -> None:
    more = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    async with deployed.connected() as owner:
        roles = await owner.fetch(f"SELECT rolname, {more} FROM pg_roles WHERE rolname LIKE 'routiq\\_%'")
        assert {row[0]: row[1] for row in roles} == {f"routiq_{name}": False for name in WITH_A_DATABASE}
        member = "SELECT count(*) FROM pg_auth_members WHERE member::regrole::text LIKE 'routiq\\_%'"
        assert await owner.fetchval(member) == 0
        owned = "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid::regrole::text LIKE 'routiq\\_%'"
        assert await owner.fetchval(owned) == 0


async def test_a_database_password_is_changed_under_a_running_service(deployed: Deployed) -> None:
    """Connections stay; who comes anew needs the new password."""
    changed = replace(deployed, passwords={**deployed.passwords, "patients": secrets.token_hex(24)})
    async with deployed.connected("patients") as before:
        await changed.migrate()
        try:
            assert await before.fetchval("SELECT 1") == 1
            async with changed.connected("patients") as after:
                assert await after.fetchval("SELECT 1") == 1
            with pytest.raises(asyncpg.InvalidPasswordError):
                async with deployed.connected("patients"):
                    pass
        finally:
            await deployed.migrate()
