"""Sync runs: rows that workers and receipts move forward."""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import tracing
from chassis.identity import Caller
from contracts.events import SyncMode
from sync.domain.run import Run

LEASE = timedelta(seconds=60)
"""A run without a beat for this long is taken over."""
PATIENCE = timedelta(minutes=10)
"""How long a run whose pages have landed waits for a further receipt."""

_COLUMNS = ", ".join(field.name for field in fields(Run))
_RUN = "organization_id = :organization_id AND sync_id = :sync_id"
_QUEUE = text(f"""
    INSERT INTO runs (
        organization_id, sync_id, request_id, mode, scheduled, started_at, traceparent, user_id, role, impersonator
    )
    VALUES (
        :organization_id, :sync_id, :request_id, :mode, :scheduled, :started_at, :traceparent,
        :user_id, :role, :impersonator
    )
    ON CONFLICT DO NOTHING RETURNING {_COLUMNS}
""")
_WAKE = text("SELECT pg_notify('sync_runs', '')")
_ACTIVE = text(f"""
    SELECT {_COLUMNS} FROM runs WHERE organization_id = :organization_id AND status IN ('queued', 'running')
""")
_EVERY = text(f"SELECT {_COLUMNS} FROM runs WHERE organization_id = :organization_id ORDER BY started_at")
_READ = text(f"SELECT {_COLUMNS} FROM runs WHERE {_RUN}")
_LOCK = text(f"SELECT {_COLUMNS} FROM runs WHERE {_RUN} FOR UPDATE")
_BEAT = text(f"""
    UPDATE runs SET heartbeat_at = now() WHERE {_RUN} AND worker = :worker AND status = 'running' RETURNING 1
""")
_STEP_BACK = text(f"""
    UPDATE runs SET worker = NULL, heartbeat_at = '-infinity', turns = turns + 1, attempts = attempts - 1
    WHERE {_RUN} AND worker = :worker AND status = 'running' AND landed_at IS NULL
""")
_CLAIM = text("SELECT organization_id, sync_id, turns FROM claim_run(:worker, :lease, :patience, :newcomers_only)")
_ANY_WAITS = text("SELECT any_run_waits(:lease, :patience)")
_RELEASE = text("SELECT release_runs(:worker)")
_RELEASE_ORPHANS = text("SELECT release_orphans()")
_USUAL = text("""
    SELECT avg(completed_at - coalesce(began_at, started_at)) FROM runs
    WHERE organization_id = :organization_id AND mode = :mode AND status = 'completed'
""")


class Claimed(NamedTuple):
    """A run that a worker has now; `turns` it has had before."""

    organization_id: str
    sync_id: str
    turns: int


async def claim(connection: AsyncConnection, worker: UUID, *, newcomers_only: bool = False) -> Claimed | None:
    """The run of whichever organization whose turn it is, for this worker; None when nothing waits."""
    values = {"worker": worker, "lease": LEASE, "patience": PATIENCE, "newcomers_only": newcomers_only}
    row = (await connection.execute(_CLAIM, values)).one_or_none()
    return Claimed(*row) if row else None


async def any_waits(connection: AsyncConnection) -> bool:
    """True while a run of any organization waits for a worker."""
    return bool(await connection.scalar(_ANY_WAITS, {"lease": LEASE, "patience": PATIENCE}))


async def release(connection: AsyncConnection, worker: UUID) -> None:
    """Let any worker go on with this worker's runs at once."""
    await connection.execute(_RELEASE, {"worker": worker})


async def release_orphans(connection: AsyncConnection) -> None:
    """The same for the runs of workers whose lock nobody holds: their processes have died, the lease need not end."""
    await connection.execute(_RELEASE_ORPHANS)


def lock_of(worker: UUID) -> int:
    """The number of the advisory lock that says that this worker lives."""
    return int.from_bytes(worker.bytes[:8], signed=True)


class Runs:
    """The runs of this transaction's organization."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def queue(
        self, sync_id: str, mode: SyncMode, started_at: datetime, caller: Caller | None, *, scheduled: bool
    ) -> Run | None:
        """A new run, which wakes the workers; None when one is active already or the id is taken."""
        values = {"mode": mode, "started_at": started_at, "scheduled": scheduled}
        who = {name: getattr(caller, name, None) for name in ("request_id", "user_id", "role", "impersonator")}
        run = await self._one(_QUEUE, sync_id=sync_id, traceparent=tracing.traceparent(), **values, **who)
        await self.wake_workers()
        return run

    async def wake_workers(self) -> None:
        """When this transaction commits, have every worker look at once for what to take up and what to let go."""
        await self._connection.execute(_WAKE)

    async def active(self) -> Run | None:
        """The run that is queued or running, of which there is one at most."""
        return await self._one(_ACTIVE)

    async def get(self, sync_id: str) -> Run | None:
        """None when this organization has no such run."""
        return await self._one(_READ, sync_id=sync_id)

    async def every(self) -> list[Run]:
        """The oldest first."""
        rows = await self._connection.execute(_EVERY, {"organization_id": self._organization_id})
        return [Run(*row) for row in rows]

    async def lock(self, sync_id: str) -> Run | None:
        """The run, and nobody else changes it until this transaction ends."""
        return await self._one(_LOCK, sync_id=sync_id)

    async def held(self, sync_id: str, worker: UUID) -> bool:
        """Beat, if the run is still this worker's."""
        values = {"organization_id": self._organization_id, "sync_id": sync_id, "worker": worker}
        return (await self._connection.execute(_BEAT, values)).first() is not None

    async def step_back(self, sync_id: str, worker: UUID) -> None:
        """Let others go first; nothing happens when the run is no longer this worker's, or has landed."""
        values = {"organization_id": self._organization_id, "sync_id": sync_id, "worker": worker}
        await self._connection.execute(_STEP_BACK, values)

    async def change(self, sync_id: str, **columns: Any) -> Run:
        """Set columns."""
        return await self._update(sync_id, [f"{name} = :{name}" for name in columns], columns)

    async def count(self, sync_id: str, **columns: int) -> Run:
        """Add to counts."""
        return await self._update(sync_id, [f"{name} = {name} + :{name}" for name in columns], columns)

    async def usual_duration(self, mode: SyncMode) -> timedelta | None:
        """The average of this organization's completed runs of that mode, waiting for a worker not counted."""
        values = {"organization_id": self._organization_id, "mode": mode}
        duration: timedelta | None = await self._connection.scalar(_USUAL, values)
        return duration

    async def _update(self, sync_id: str, assignments: list[str], values: dict[str, Any]) -> Run:
        statement = text(
            f"UPDATE runs SET {', '.join(assignments)}, heartbeat_at = now() WHERE {_RUN} RETURNING {_COLUMNS}"
        )
        run = await self._one(statement, sync_id=sync_id, **values)
        if run is None:
            raise LookupError("a run that is at work has its row")
        return run

    async def _one(self, statement: Any, **values: Any) -> Run | None:
        rows = await self._connection.execute(statement, {"organization_id": self._organization_id, **values})
        row = rows.one_or_none()
        return Run(*row) if row else None
