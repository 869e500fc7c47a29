"""`routiq restore`: a new database is made beside the one in use, and takes its name when it is whole."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from routiq.console import out
from routiq.failures import ReportedError
from routiq.plan import MIGRATIONS, WITH_A_DATABASE, Plan
from routiq.processes import run_once
from routiq.recovery.manifest import DUMP, Manifest
from routiq.recovery.server import NOT_OURS, Server
from routiq.recovery.telling import tell

APART = 1_000_000_000
"""Versions given out after the backup, which may still be in a queue, are older than those given out from now on."""
ERASE_AGAIN, END_RUNS = ("patients", "erase-again"), ("sync", "end-runs")
UNDER_WAY = "SELECT organization_id, sync_id FROM sync.runs WHERE status IN ('queued', 'running')"
UNDONE_TIMES = "SELECT oid::regclass::text FROM pg_class WHERE relname = 'undone_times' AND relkind = 'r'"
RECORDED = """
    SELECT count(*) FROM admin.audit_entries
    JOIN unnest($1::text[], $2::bigint[], $3::bytea[]) AS head (organization_id, position, hash)
        USING (organization_id, position, hash)
"""


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    replaced: str | None
    """Under which name the database is kept that was there before."""
    erased_again: int | None
    """Patients who were erased after the backup; None where nothing was left that knows of them."""


@dataclass(frozen=True)
class Known:
    """What a database says of how far it has come, and of whom it must not know any more."""

    version: int
    erased: set[tuple[str, str]]
    audited: list[tuple[str, int, bytes]]
    """The newest entry on record of each organization: it, its position, and the hash of all that was before."""


async def restore(plan: Plan, server: Server, place: Path) -> Restored:
    """Raises ReportedError, and then everything is as it was."""
    manifest = Manifest.read(place)
    fresh = f"{server.database}_restoring"
    async with server.connected() as connection:
        await _refuse_in_use(connection, server.database)
        await connection.execute(f'DROP DATABASE IF EXISTS "{fresh}"')
        await connection.execute(f'CREATE DATABASE "{fresh}" TEMPLATE template0')
        try:
            await _make_roles(connection)
            with out.status("Bringing the records back"):
                again = await _fill(plan, server, fresh, place / DUMP, manifest.made_at)
            return Restored(manifest, await _take_over(connection, server.database, fresh), again)
        except BaseException:
            await connection.execute(f'DROP DATABASE IF EXISTS "{fresh}" WITH (FORCE)')
            raise


async def _fill(plan: Plan, server: Server, fresh: str, dump: Path, since: str) -> int | None:
    """Returns how many patients were erased again, see Restored; one begun anew since the backup knows of none."""
    options = ("--exit-on-error", "--no-owner", f"--jobs={os.cpu_count() or 1}")
    await server.run("pg_restore", *options, str(dump), database=fresh)
    await _migrate(plan, server.of(fresh))
    then, now = await _known(server, fresh), await _known(server, server.database)
    assert then is not None  # noqa: S101 - it was made just now; narrows it for the checker
    erased = sorted(now.erased - then.erased) if now and await _goes_on_from(server, then, now) else None
    await _undo(server, fresh, since)
    await tell(plan, server, fresh, ERASE_AGAIN, erased or ())
    await tell(plan, server, fresh, END_RUNS, await _under_way(server, fresh))
    await _number_from(server, fresh, max(then.version, now.version if now else 0) + APART)
    if await _known(server, server.database) != now:
        raise ReportedError("A service wrote while the backup was brought back. Stop every service, and try again.")
    return None if erased is None else len(erased)


async def _refuse_in_use(connection: asyncpg.Connection, database: str) -> None:
    using = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'"
    if sessions := await connection.fetchval(using, database):
        raise ReportedError(f"{sessions} sessions use the database. Stop every service first; nothing was changed.")


async def _make_roles(connection: asyncpg.Connection) -> None:
    """What the copy grants to them needs them. Those that are there stay as they are: every database here has the same.

    Nobody can log in by a new one until the migrations of the next start have given it a password.
    """
    for name in WITH_A_DATABASE:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", f"routiq_{name}"):
            await connection.execute(f"CREATE ROLE routiq_{name}")


async def _migrate(plan: Plan, url: str) -> None:
    program = plan.program(MIGRATIONS)
    passwords = {f"{name.upper()}_PASSWORD" for name in WITH_A_DATABASE}
    kept = {name: value for name, value in program.environment.items() if name not in passwords}
    environment = {**kept, "DATABASE_URL": url}
    await run_once(replace(program, environment=environment, prepare=None), plan.state.log(MIGRATIONS))


async def _undo(server: Server, database: str, since: str) -> None:
    """Have those who keep what sync announces leave what it has announced since: it knows nothing of it any more.

    Where patients stood, for walks that had begun, is told by numbers of the transactions of another server.
    """
    async with server.connected(database) as connection:
        await connection.execute("TRUNCATE patients.former_places")
        for (table,) in await connection.fetch(UNDONE_TIMES):
            undone = f"INSERT INTO {table} VALUES ($1, clock_timestamp())"  # noqa: S608 - ours
            await connection.execute(undone, datetime.fromisoformat(since))


async def _under_way(server: Server, database: str) -> list[tuple[str, str]]:
    """Runs whose receipts are lost, or are for what this database has not applied."""
    async with server.connected(database) as connection:
        return [(row[0], row[1]) for row in await connection.fetch(UNDER_WAY)]


async def _number_from(server: Server, database: str, version: int) -> None:
    async with server.connected(database) as connection:
        await connection.execute("SELECT setval('sync.landing_sequence', $1)", version)


async def _known(server: Server, database: str) -> Known | None:
    """None for a database that is lost, or has no tables yet."""
    try:
        async with server.connected(database) as connection:
            version = await connection.fetchval("SELECT last_value FROM sync.landing_sequence")
            erased = await connection.fetch("SELECT organization_id, cliniko_patient_id FROM patients.erasures")
            audited = await connection.fetch("SELECT organization_id, position, hash FROM admin.audit_heads")
    except NOT_OURS:
        return None
    return Known(version, {(row[0], row[1]) for row in erased}, [(row[0], row[1], row[2]) for row in audited])


async def _goes_on_from(server: Server, then: Known, now: Known) -> bool:
    """Whether the database in use has been where the backup was: it has its entries on record, and is further on.

    One that was begun anew, or brought back from an older backup, knows less of whom it must not know.
    """
    heads = [head for head in then.audited if head[1]]
    if now.version < then.version or not heads:
        return now.version >= then.version
    async with server.connected(server.database) as connection:
        found: int = await connection.fetchval(RECORDED, *(list(part) for part in zip(*heads, strict=True)))
    return found == len(heads)


async def _take_over(connection: asyncpg.Connection, name: str, fresh: str) -> str | None:
    """In one transaction. Returns the name of what was there before."""
    existing = await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name)
    kept = f"{name}_before_{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    async with connection.transaction():
        if existing:
            await connection.execute(f'ALTER DATABASE "{name}" RENAME TO "{kept}"')
        await connection.execute(f'ALTER DATABASE "{fresh}" RENAME TO "{name}"')
    return kept if existing else None
