"""Schemas, roles and their history: `python -m chassis.migrations NAME=DIRECTORY ...`, run by the owner.

Each service gets a schema and a role `routiq_<name>` that may use that schema's rows and nothing else. The role owns no
table, so row-level security binds it. Nobody else may connect to the database at all.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command, context, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chassis.database import engine_url

LOCK_SECONDS, ATTEMPTS, PAUSE_SECONDS = 2, 15, 2.0
"""Readers queue behind a revision that waits for their table: it gives up, lets them pass, and tries again."""
LOCK_NOT_AVAILABLE = "55P03"
ROLES_OF_SERVICES = """
    SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles JOIN pg_namespace ON rolname = 'routiq_' || nspname
"""
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('routiq.migrations'))")


@dataclass(frozen=True)
class Schema:
    """A service's schema: its name, its Alembic directory, and the password of its role; None leaves the one it has."""

    name: str
    directory: Path
    password: str | None


async def migrate(owner_url: str, schemas: Sequence[Schema]) -> list[str]:
    """Bring every schema to its newest revision; safe to repeat and to run twice at once.

    Returns the names of those that are newer than their directory, and were left so: a release was gone back from.
    """
    engine = create_async_engine(engine_url(owner_url), hide_parameters=True)
    try:
        return [schema.name for schema in schemas if await _migrate_patiently(engine, schema)]
    finally:
        await engine.dispose()


async def _migrate_patiently(engine: AsyncEngine, schema: Schema) -> bool:
    """Whether the schema is newer than we are. Raises the last refusal when a table stays locked."""
    left = ATTEMPTS
    while True:
        left -= 1
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(_migrate_one, schema)
        except DBAPIError as error:
            if not left or getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
        await asyncio.sleep(PAUSE_SECONDS)


def _migrate_one(connection: Connection, schema: Schema) -> bool:
    connection.execute(ONE_AT_A_TIME)
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
    _provide(connection, schema)
    _close(connection)
    connection.execute(text(f'SET LOCAL search_path TO "{schema.name}"'))
    config = Config(attributes={"connection": connection, "schema": schema.name})
    config.set_main_option("script_location", str(schema.directory).replace("%", "%%"))
    newer = _is_newer(connection, config, schema)
    if not newer:
        command.upgrade(config, "head")
    connection.exec_driver_sql(f'REVOKE ALL ON "{schema.name}".alembic_version FROM routiq_{schema.name}')
    return newer


def _is_newer(connection: Connection, config: Config, schema: Schema) -> bool:
    """At a revision that we do not know, numbered above all that we do; an unknown one among ours is an error."""
    options = {"version_table_schema": schema.name}
    here = MigrationContext.configure(connection, opts=options).get_current_revision()
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    return here is not None and here > max(known, default="")


def _provide(connection: Connection, schema: Schema) -> None:
    """The schema, the role, and what the role may do with tables made here from now on."""
    role = f"routiq_{schema.name}"
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if schema.password is not None:
        password = schema.password.replace("'", "''")
        connection.exec_driver_sql(f"{'ALTER' if known else 'CREATE'} ROLE {role} LOGIN PASSWORD '{password}'")
    for statement in (
        f'CREATE SCHEMA IF NOT EXISTS "{schema.name}"',
        f'GRANT USAGE ON SCHEMA "{schema.name}" TO {role}',
        f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{schema.name}" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}',
        f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{schema.name}" GRANT USAGE ON SEQUENCES TO {role}',
    ):
        connection.exec_driver_sql(statement)


def _close(connection: Connection) -> None:
    """What PostgreSQL allows everybody, unless it is told otherwise; only who owns the database can tell it.

    Every service that has a schema here keeps its way in: it is at work while another's schema is migrated.
    """
    owned = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
    if not connection.scalar(text(owned)):
        return
    database = connection.scalar(text("SELECT quote_ident(current_database())"))
    roles = connection.scalar(text(ROLES_OF_SERVICES))
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {roles}")
    connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    connection.exec_driver_sql("REVOKE ALL ON SCHEMA public FROM PUBLIC")


def run() -> None:
    """The whole of a service's `env.py`: run its revisions on the connection that `migrate` opened."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        version_table_schema=attributes["schema"],
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def create_outbox_and_inbox() -> None:
    """For a service's first revision: the two tables of `chassis.outbox` and `chassis.inbox`."""
    op.execute("""
        CREATE TABLE outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            event_id uuid NOT NULL,
            routing_key text NOT NULL,
            body bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            not_before timestamptz NOT NULL DEFAULT now()
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """)
    op.execute("""
        CREATE TABLE inbox (
            consumer text NOT NULL,
            event_id uuid NOT NULL,
            received_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (consumer, event_id)
        )
    """)


def remember_traces(table: str) -> None:
    """A row knows the trace it was written in, for whoever goes on with it: the outbox, and work that waits."""
    op.execute(f"ALTER TABLE {table} ADD COLUMN traceparent text")


def remember_undone_times() -> None:
    """For a service that keeps what sync says: the table of `chassis.undone`, which `routiq restore` fills."""
    op.execute("CREATE TABLE undone_times (since timestamptz NOT NULL, until timestamptz NOT NULL)")


def separate_tenants(*tables: str) -> None:
    """Row-level security: a transaction sees and writes the rows of its own organization only."""
    own = "organization_id = current_setting('routiq.organization_id', true)"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_organization ON {table} USING ({own}) WITH CHECK ({own})")


def main() -> None:
    """Migrate the database of `DATABASE_URL`, whose user must be allowed to create roles and schemas.

    The password of a service's role comes from `<NAME>_PASSWORD`: arguments can be read by every user of a machine.
    A role that is there keeps its own where none is given.
    """
    parts = (argument.split("=", 1) for argument in sys.argv[1:])
    schemas = [Schema(name, Path(directory), os.environ.get(f"{name.upper()}_PASSWORD")) for name, directory in parts]
    url = os.environ["DATABASE_URL"]
    try:
        newer = asyncio.run(migrate(url, schemas))
    except (OSError, asyncpg.PostgresError, DBAPIError) as error:
        place, reason = engine_url(url), getattr(error, "orig", error)
        sys.exit(f"The database {place.database} at {place.host}:{place.port or 5432} cannot be migrated: {reason}")
    for name in newer:
        sys.stdout.write(f"The schema {name} is of a newer release, and stays as it is.\n")


if __name__ == "__main__":
    main()
