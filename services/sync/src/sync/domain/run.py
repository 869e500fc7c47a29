"""A sync run: its identity, its state, and what can be said of its progress."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.events import Role, RunStatus, SyncMode, SyncRunChanged

STEPS = ("Connecting to Cliniko", "Processing reference data", "Processing patients", "Processing appointments")
_SYNC_ID = re.compile(r"sync_org_[A-Za-z0-9_]{1,64}_[0-9]{8}_[0-9]{6}")
DELIVERING = "Delivering to patients and analytics"
RATE_SAYS_SOMETHING = 5.0
"""Percent of progress."""


@dataclass(frozen=True)
class Run:
    """One row of `runs`. Counts are of patients and appointments together; reference data is not counted."""

    sync_id: str
    organization_id: str
    request_id: str | None
    mode: SyncMode
    status: RunStatus
    revision: int
    completed_steps: int
    started_at: datetime
    completed_at: datetime | None
    landed_at: datetime | None
    records_total: int | None
    patients_landed: int
    appointments_landed: int
    records_confirmed: int
    records_rejected: int
    patients_reported: int | None
    failure: str | None
    closing_id: UUID | None
    attempts: int
    scheduled: bool = False
    """Started by the schedule; False when a person waits for it."""
    turns: int = 0
    """How often it has stepped back for others."""
    began_at: datetime | None = None
    """When a worker first took it up."""
    source_time: datetime | None = None
    """When the run began, by Cliniko's clock."""
    note: str | None = None
    """What a person should know of the run, though it did not fail."""
    confirm_removals: bool = False
    """A person has said that however many records are gone, they are."""
    traceparent: str | None = None
    """The trace it was started in."""
    user_id: str | None = None
    """Of who started it; None: the schedule."""
    role: Role | None = None
    impersonator: str | None = None
    """The user id of who acted in this person's name."""

    @property
    def active(self) -> bool:
        """True until it has ended in one of three ways."""
        return self.status in ("queued", "running")

    @property
    def ended_at(self) -> datetime | None:
        """`completed_at` stands from the moment the end is announced, the status follows when it is heard."""
        return None if self.active else self.completed_at

    @property
    def records_seen(self) -> int:
        """What this run has looked at, understood or not."""
        return self.records_landed + self.records_rejected

    @property
    def records_landed(self) -> int:
        """Records of Cliniko that this run has looked at and stored or found unchanged."""
        return self.patients_landed + self.appointments_landed

    @property
    def progress(self) -> float:
        """Percent: one half for looking at the records, one for their being applied; 100 only when completed.

        The total is what Cliniko counted when the run began and stays, so that this never falls.
        """
        if self.status == "completed":
            return 100.0
        total = self.records_total or 0
        halves = sum(min(1.0, part / total) for part in (self.records_seen, self.records_confirmed)) if total else 0.0
        return min(99.9, round(50 * halves, 1))

    @property
    def current_step(self) -> str:
        """What the run is doing, for people."""
        if not self.active:
            return self.status.capitalize()
        if self.status == "queued":
            return "Waiting to start"
        return STEPS[self.completed_steps] if self.completed_steps < len(STEPS) else DELIVERING


def new_sync_id(organization_id: str, started_at: datetime) -> str:
    """`sync_<organization>_<YYYYMMDD>_<HHMMSS>` in UTC."""
    return f"sync_{organization_id}_{started_at.astimezone(UTC):%Y%m%d_%H%M%S}"


def is_sync_id(text: str) -> bool:
    """True for what `new_sync_id` makes."""
    return _SYNC_ID.fullmatch(text) is not None


def estimated_completion(run: Run, now: datetime, usual: timedelta | None) -> datetime | None:
    """From the observed rate once it says something, before that from how long such runs took; None when unknown.

    The first few percent are mostly connecting and counting, so their rate is believed only for want of better. Time
    spent waiting for a worker is no work.
    """
    if not run.active:
        return run.completed_at
    began = run.began_at or now
    if run.progress >= RATE_SAYS_SOMETHING or (run.progress > 0 and usual is None):
        return now + (now - began) * ((100 - run.progress) / run.progress)
    return max(now, began + usual) if usual else None


def announcement(run: Run) -> SyncRunChanged:
    """The run as the other services hear of it."""
    return SyncRunChanged(
        organization_id=run.organization_id,
        request_id=run.request_id,
        sync_id=run.sync_id,
        revision=run.revision,
        mode=run.mode,
        status=run.status,
        full_sweep=run.mode == "comprehensive",
        started_at=run.started_at,
        completed_at=run.completed_at,
        records_processed=run.records_seen,
        records_success=run.records_landed,
        records_failed=run.records_rejected,
        patients_processed=run.patients_landed,
        appointments_processed=run.appointments_landed,
        patients_reported=run.patients_reported,
        user_id=run.user_id,
        role=run.role,
        impersonator=run.impersonator,
    )
