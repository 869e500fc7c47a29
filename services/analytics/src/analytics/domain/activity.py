"""A sync run as the dashboard tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.events import RunStatus, SyncMode

DESCRIPTIONS: Mapping[SyncMode, str] = {
    "comprehensive": "Comprehensive patient and appointment sync",
    "basic": "Basic patient and appointment sync",
    "patients-only": "Patients-only sync",
    "incremental": "Incremental patient and appointment sync",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One run, seen at the moment `now`."""

    id: str
    mode: SyncMode
    status: RunStatus
    records_processed: int
    records_success: int
    records_failed: int
    started_at: datetime
    completed_at: datetime | None
    now: datetime

    @property
    def operation_type(self) -> str:
        """`comprehensive_sync`, `patients_only_sync`, ..."""
        return f"{self.mode.replace('-', '_')}_sync"

    @property
    def description(self) -> str:
        """For people."""
        return DESCRIPTIONS[self.mode]

    @property
    def minutes_ago(self) -> float:
        """Since completion, else since the start; never negative, for the run was timed by another machine's clock."""
        age = self.now - (self.completed_at or self.started_at)
        return max(0.0, round(age.total_seconds() / 60, 1))
