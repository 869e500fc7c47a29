"""`make bench-recovery`: how long a backup, its restore and the replay take, at two sizes (CLINICS=20: the larger one).

What `routiq backup`, `routiq restore` and then `routiq replay` of every clinic do, on a PostgreSQL as `routiq up`
starts it, filled as by `make bench-reads`: the tables of patients, analytics and sync. Bytes are those on disk, without
what changing rows leave behind. ROUTIQ_BROKER=installed takes RabbitMQ instead of the development broker.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import read_copies as copies
from admin.entrypoints.consumers import consumers as of_admin
from chassis.database import Database
from contracts.events import PatientRecordsRead
from measures import Spent
from read_clinics import Clinic, clinics
from read_loading import hear, loader
from routiq import discovery
from routiq.plan import MIGRATIONS, PASSED_ON, WITH_A_DATABASE, Plan, as_role
from routiq.ports import free_port
from routiq.processes import running
from routiq.recovery.backup import back_up
from routiq.recovery.manifest import DUMP
from routiq.recovery.restore import restore
from routiq.recovery.server import server_of
from routiq.servers.binaries import forget_copy
from routiq.settings import PORTS, Settings
from routiq.state import StateDirectory
from sync.entrypoints.transactions import transactions_of
from sync.handlers.replay import replay

BROKER: Literal["installed", "embedded"] = "installed" if os.environ.get("ROUTIQ_BROKER") == "installed" else "embedded"
LEFT_OUT = {"postgres", MIGRATIONS, "gateway", "cliniko", "clerk"}
"""Of what `routiq up` starts, for the replay."""
LOOKS, SHOWN = 100, 50
"""Entries on record whose size is measured, each of a list with so many patients."""
ON_DISK = """
    SELECT relnamespace::regnamespace::text, sum(pg_total_relation_size(oid))::bigint FROM pg_class
    WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY($1) GROUP BY 1
"""
TO_HEAR = """
    SELECT 2 * sum(ceil(records / 100.0))::integer
    FROM (SELECT count(*) AS records FROM sync.landed GROUP BY organization_id, kind) AS kinds
"""
HEARD = """
    SELECT count(*) FROM (
        SELECT received_at, consumer FROM patients.inbox UNION ALL SELECT received_at, consumer FROM analytics.inbox
    ) AS inboxes WHERE received_at > $1 AND consumer IN ('on_patients_synced', 'on_appointments_synced')
"""

out = Console(width=120)


@dataclass(frozen=True)
class Measured:
    """Of one size."""

    patients: int
    records: int
    backup_bytes: int
    on_disk: Mapping[str, int]
    """Bytes, by schema."""
    look_bytes: float
    """On disk, of one entry of the audit."""
    backup: Spent
    restore: Spent
    replay: Spent


def plan_in(home: Path) -> Plan:
    """Of a system nothing of which runs."""
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    settings = Settings({name: free_port() for name in PORTS}, given, postgres=None, broker=BROKER)
    state = StateDirectory(home / "state")
    state.create()
    secrets = state.secrets(WITH_A_DATABASE)
    return Plan(settings, secrets, discovery.find(settings, secrets, state), state)


async def measure(home: Path, known: Sequence[Clinic], bar: Progress) -> Measured:
    """Fill, back up, restore, replay."""
    plan = plan_in(home)
    try:
        async with running(plan.program("postgres"), plan.program(MIGRATIONS), logs=plan.state.logs):
            await fill(plan, known, bar)
            records, on_disk = await sizes(plan)
            async with server_of(plan, is_up=True) as server:
                began = Spent.so_far()
                place = await back_up(server, home / "backups")
                copied = Spent.so_far()
                await restore(plan, server, place)
                restored = Spent.so_far()
            replayed = await say_again(plan, known, bar)
            return Measured(
                patients=sum(clinic.patients for clinic in known),
                records=records,
                backup_bytes=(place / DUMP).stat().st_size,
                on_disk=on_disk,
                look_bytes=await look_bytes(plan),
                backup=began.until(copied),
                restore=copied.until(restored),
                replay=replayed,
            )
    finally:
        forget_copy(plan.state.path / "postgres")


async def fill(plan: Plan, known: Sequence[Clinic], bar: Progress) -> None:
    """As syncs leave it."""
    task = bar.add_task("Loading", total=2 * sum(clinic.patients for clinic in known))
    roles = (role(plan, name) for name in ("patients", "analytics"))
    async with loader(plan.owner_url, *roles, with_baseline=False) as loading:
        await loading.load(known, lambda clinic: bar.advance(task, clinic.patients))
        for statement in copies.SYNC:
            await loading.owner.execute(statement, timeout=600)


async def sizes(plan: Plan) -> tuple[int, dict[str, int]]:
    """Landed records, and bytes on disk by schema."""
    owner = await asyncpg.connect(plan.owner_url)
    records = await owner.fetchval("SELECT count(*) FROM sync.landed")
    on_disk = {row[0]: row[1] for row in await owner.fetch(ON_DISK, list(WITH_A_DATABASE))}
    await owner.close()
    return records, on_disk


async def say_again(plan: Plan, known: Sequence[Clinic], bar: Progress) -> Spent:
    """One clinic after the other, as by `routiq replay`, until both services have heard the last page."""
    programs = [program for program in plan.programs() if program.name not in LEFT_OUT]
    owner, database = await asyncpg.connect(plan.owner_url), Database(role(plan, "sync"), "sync", connections=2)
    try:
        async with running(*programs, logs=plan.state.logs):
            since, pages = await owner.fetchval("SELECT now()"), await owner.fetchval(TO_HEAR)
            task, began = bar.add_task("Pages heard", total=pages), Spent.so_far()
            async with asyncio.TaskGroup() as work:
                work.create_task(_say(known, database))
                while (heard := await owner.fetchval(HEARD, since)) < pages:
                    bar.update(task, completed=heard)
                    await asyncio.sleep(0.2)
            bar.update(task, completed=pages)
            return began.until(Spent.so_far())
    finally:
        await asyncio.gather(owner.close(), database.close())


async def _say(known: Sequence[Clinic], database: Database) -> None:
    for clinic in known:
        await replay(clinic.organization_id, None, transactions_of(database))


async def look_bytes(plan: Plan) -> float:
    """Of an entry on record, by admin's own consumer."""
    owner, database = await asyncpg.connect(plan.owner_url), Database(role(plan, "admin"), "admin")
    size = "SELECT pg_total_relation_size('admin.audit_entries')"
    before = await owner.fetchval(size)
    for _ in range(LOOKS):
        await hear(of_admin, look(), database)
    grown: int = await owner.fetchval(size) - before
    await asyncio.gather(owner.close(), database.close())
    return grown / LOOKS


def look() -> PatientRecordsRead:
    """A person is shown a list."""
    return PatientRecordsRead(
        organization_id="org_bench_0001",
        user_id="user_2abcdefghijklmnopqrstuvwxyz",
        role="member",
        route="/api/v1/patients/{organization_id}/patients",
        patient_count=SHOWN,
        patient_ids=tuple(uuid4() for _ in range(SHOWN)),
    )


def role(plan: Plan, service: str) -> str:
    """The database as a service sees it."""
    return as_role(plan.owner_url, f"routiq_{service}", plan.secrets.role_passwords[service])


def main() -> None:
    """Two tables; needs some gigabytes of disk for 200 clinics."""
    largest = int(os.environ.get("CLINICS", "20"))
    times = Table("Patients", "Records", "Backup, MB", "Backup, s (CPU)", "Restore", "Replay", "Records/s")
    disk = Table("Patients", *(f"{name}, MB" for name in WITH_A_DATABASE), "Bytes a record", "Bytes an audit entry")
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    for number in (largest // 4, largest):
        with tempfile.TemporaryDirectory(prefix="routiq-bench-") as home:
            with Progress(*columns, console=Console(stderr=True)) as bar:
                found = asyncio.run(measure(Path(home), clinics(number), bar))
        spent = map(str, (found.backup, found.restore, found.replay))
        rate = f"{found.records / found.replay.seconds:,.0f}"
        times.add_row(f"{found.patients:,}", f"{found.records:,}", f"{found.backup_bytes / 1e6:.1f}", *spent, rate)
        schemas = (f"{found.on_disk[name] / 1e6:.1f}" for name in WITH_A_DATABASE)
        record = f"{sum(found.on_disk.values()) / found.records:,.0f}"
        disk.add_row(f"{found.patients:,}", *schemas, record, f"{found.look_bytes:,.0f}")
    out.print(times, disk)


if __name__ == "__main__":
    main()
