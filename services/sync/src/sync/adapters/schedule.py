"""When each organization is synced next, and which of them are due now."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LEASE = timedelta(seconds=60)
"""A replica that claimed a due clinic and did not start its run in this time has died."""


@dataclass(frozen=True)
class Plan:
    """A row; `not_before` is set while runs fail, `enabled` is an administrator's word."""

    enabled: bool
    incremental_due: datetime
    comprehensive_due: datetime
    failures: int
    not_before: datetime | None

    @property
    def next_run_at(self) -> datetime:
        """The earliest moment at which the schedule may start a run."""
        due = min(self.incremental_due, self.comprehensive_due)
        return max(due, self.not_before) if self.not_before else due


_COLUMNS = ", ".join(field.name for field in fields(Plan))
_OWN = "WHERE organization_id = :organization_id"
_READ = text(f"SELECT {_COLUMNS} FROM schedule {_OWN}")
_ENROL = text("""
    INSERT INTO schedule (organization_id, incremental_due, comprehensive_due) VALUES (:organization_id, :due, :due)
    ON CONFLICT (organization_id) DO UPDATE
    SET incremental_due = excluded.incremental_due, comprehensive_due = excluded.comprehensive_due,
        failures = 0, not_before = NULL
""")
_SWITCH = text(f"UPDATE schedule SET enabled = :enabled {_OWN} RETURNING {_COLUMNS}")
_MOVE_ON = text(f"""
    UPDATE schedule
    SET incremental_due = :incremental_due, comprehensive_due = coalesce(:comprehensive_due, comprehensive_due),
        failures = 0, not_before = NULL, fresh_at = coalesce(:fresh_at, fresh_at)
    {_OWN}
""")
_HOLD_BACK = text(f"UPDATE schedule SET failures = :failures, not_before = :not_before {_OWN}")
_END = text(f"DELETE FROM schedule {_OWN}")
_CLAIM_DUE = text("SELECT organization_id FROM claim_due(:moment, :lease, :most)")


async def claim_due(connection: AsyncConnection, moment: datetime, most: int) -> Sequence[str]:
    """Organizations whose run is due and not under way, the least recently served first, leased to the caller."""
    values = {"moment": moment, "lease": LEASE, "most": most}
    return [row.organization_id for row in await connection.execute(_CLAIM_DUE, values)]


class Schedule:
    """The plan of this transaction's organization."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def plan(self) -> Plan | None:
        """None when the organization was never connected."""
        return await self._one(_READ)

    async def enrol(self, due: datetime) -> None:
        """Begin anew with an entire run; whether it is enabled stays as it was."""
        await self._run(_ENROL, due=due)

    async def switch(self, *, enabled: bool) -> Plan | None:
        """Pause or resume. None when the organization was never connected."""
        return await self._one(_SWITCH, enabled=enabled)

    async def move_on(
        self, incremental_due: datetime, comprehensive_due: datetime | None, fresh_at: datetime | None
    ) -> None:
        """A run is over and did not fail; what is None stays as it is."""
        values = {"incremental_due": incremental_due, "comprehensive_due": comprehensive_due, "fresh_at": fresh_at}
        await self._run(_MOVE_ON, **values)

    async def hold_back(self, failures: int, not_before: datetime) -> None:
        """Leave a failing clinic alone for a while."""
        await self._run(_HOLD_BACK, failures=failures, not_before=not_before)

    async def end(self) -> None:
        """Have no plan any more."""
        await self._run(_END)

    async def _one(self, statement: Any, **values: Any) -> Plan | None:
        row = (await self._run(statement, **values)).one_or_none()
        return Plan(*row) if row else None

    async def _run(self, statement: Any, **values: Any) -> Any:
        return await self._connection.execute(statement, {"organization_id": self._organization_id, **values})
