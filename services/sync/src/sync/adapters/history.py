"""What an organization's runs add up to."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.domain.run import Run


@dataclass(frozen=True)
class Totals:
    """Over all runs; `last_*` are the ends of runs, the average is over completed ones."""

    total: int
    successful: int
    failed: int
    cancelled: int
    last_ended_at: datetime | None
    last_completed_at: datetime | None
    last_full_sweep_at: datetime | None
    average_seconds: float | None


_RUN_COLUMNS = ", ".join(field.name for field in fields(Run))
_TOTALS = text("""
    SELECT count(*),
        count(*) FILTER (WHERE status = 'completed'),
        count(*) FILTER (WHERE status = 'failed'),
        count(*) FILTER (WHERE status = 'cancelled'),
        max(completed_at) FILTER (WHERE status NOT IN ('queued', 'running')),
        max(completed_at) FILTER (WHERE status = 'completed'),
        max(completed_at) FILTER (WHERE status = 'completed' AND mode = 'comprehensive'),
        CAST(avg(extract(epoch FROM completed_at - started_at)) FILTER (WHERE status = 'completed')
             AS double precision)
    FROM runs WHERE organization_id = :organization_id
""")
_RECENT = text(f"""
    SELECT {_RUN_COLUMNS} FROM runs WHERE organization_id = :organization_id ORDER BY started_at DESC LIMIT :limit
""")
_FAILED = text(f"""
    SELECT {_RUN_COLUMNS} FROM runs WHERE organization_id = :organization_id AND status = 'failed'
    ORDER BY started_at DESC LIMIT :limit
""")


# The last good run of each mode stays however old it is: it says how fresh the clinic is, and how long a run takes.
_FORGET = text("""
    DELETE FROM runs WHERE organization_id = :organization_id AND status NOT IN ('queued', 'running')
      AND completed_at < :before AND sync_id NOT IN (
        SELECT DISTINCT ON (mode) sync_id FROM runs
        WHERE organization_id = :organization_id AND status = 'completed' ORDER BY mode, completed_at DESC
      )
    RETURNING sync_id
""")


class History:
    """The runs of this transaction's organization, looked back on."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def totals(self) -> Totals:
        """Zeros and None for an organization without runs."""
        rows = await self._connection.execute(_TOTALS, {"organization_id": self._organization_id})
        return Totals(*rows.one())

    async def recent(self, limit: int) -> Sequence[Run]:
        """Newest first, a run under way included."""
        rows = await self._connection.execute(_RECENT, {"organization_id": self._organization_id, "limit": limit})
        return [Run(*row) for row in rows]

    async def failed(self, limit: int) -> Sequence[Run]:
        """The newest that failed."""
        rows = await self._connection.execute(_FAILED, {"organization_id": self._organization_id, "limit": limit})
        return [Run(*row) for row in rows]

    async def forget(self, before: datetime) -> int:
        """Remove runs that ended earlier, but the last completed one of each mode. How many went."""
        values = {"organization_id": self._organization_id, "before": before}
        return len((await self._connection.execute(_FORGET, values)).all())
