"""Runs: started, under way, ended, looked back on."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from contracts.events import RunStatus, SyncMode
from contracts.timestamps import Moment
from sync.adapters.history import Totals
from sync.domain.run import STEPS, Run
from sync.entrypoints import examples
from sync.entrypoints.shapes.done import Done
from sync.handlers.runs import Progress

MODE_TITLES = {
    "comprehensive": "Comprehensive",
    "basic": "Basic",
    "patients-only": "Patients-only",
    "incremental": "Incremental",
}


class SyncTriggered(BaseModel):
    """A run; `sync_started` is false when it was under way already."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SYNC_TRIGGERED]})

    message: str
    sync_started: bool
    organization_id: str
    sync_id: str
    sync_mode: SyncMode
    timestamp: Moment

    @classmethod
    def of(cls, run: Run, now: datetime, *, started: bool) -> Self:
        """The answer to a trigger."""
        return cls(
            message="Sync started successfully" if started else "A sync is already running",
            sync_started=started,
            organization_id=run.organization_id,
            sync_id=run.sync_id,
            sync_mode=run.mode,
            timestamp=now,
        )


class SyncStarted(Done):
    """A run; `sync_started` is false when it was under way already."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SYNC_STARTED]})

    sync_mode: SyncMode
    sync_id: str
    sync_started: bool

    @classmethod
    def of(cls, run: Run, now: datetime, *, started: bool) -> Self:
        """The answer to a trigger of Cliniko's own."""
        outcome = "started successfully" if started else "is already running"
        return cls(
            message=f"{MODE_TITLES[run.mode]} Cliniko sync {outcome}",
            organization_id=run.organization_id,
            sync_mode=run.mode,
            sync_id=run.sync_id,
            sync_started=started,
            timestamp=now,
        )


class SyncCancelled(Done):
    """The run brings in nothing more; what it had brought in stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SYNC_CANCELLED]})

    sync_id: str
    status: RunStatus


class SyncProgress(BaseModel):
    """How far a run is; it is completed once everything it brought can be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROGRESS]})

    sync_id: str
    organization_id: str
    status: RunStatus
    progress_percentage: float
    current_step: str
    total_steps: int
    completed_steps: int
    started_at: Moment
    estimated_completion: Moment | None
    records_processed: int
    records_total: int
    records_failed: int
    sync_mode: SyncMode
    completed_at: Moment | None = None
    failure: str | None = None
    note: str | None = None

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """What is shown of a run."""
        run = progress.run
        return cls(
            sync_id=run.sync_id,
            organization_id=run.organization_id,
            status=run.status,
            progress_percentage=run.progress,
            current_step=run.current_step,
            total_steps=len(STEPS),
            completed_steps=run.completed_steps,
            started_at=run.started_at,
            estimated_completion=progress.estimated_completion,
            records_processed=run.records_seen,
            records_total=max(run.records_total or 0, run.records_seen),
            records_failed=run.records_rejected,
            sync_mode=run.mode,
            completed_at=run.ended_at,
            failure=run.failure,
            note=run.note,
        )


class RunMetadata(BaseModel):
    """What kind of run it was, and its records by kind."""

    sync_type: SyncMode
    patients_processed: int
    appointments_processed: int


class PastRun(BaseModel):
    """A run of the history; `records_failed` were set aside, each with a reason."""

    sync_id: str
    started_at: Moment
    completed_at: Moment | None = None
    status: RunStatus
    records_processed: int
    records_success: int
    records_failed: int
    failure: str | None = None
    note: str | None = None
    scheduled: bool
    metadata: RunMetadata

    @classmethod
    def of(cls, run: Run) -> Self:
        """One entry."""
        return cls(
            sync_id=run.sync_id,
            started_at=run.started_at,
            completed_at=run.ended_at,
            status=run.status,
            records_processed=run.records_seen,
            records_success=run.records_landed,
            records_failed=run.records_rejected,
            failure=run.failure,
            note=run.note,
            scheduled=run.scheduled,
            metadata=RunMetadata(
                sync_type=run.mode,
                patients_processed=run.patients_landed,
                appointments_processed=run.appointments_landed,
            ),
        )


class SyncHistory(BaseModel):
    """All runs in figures, the newest one by one. `last_*` are the moments at which runs ended."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HISTORY]})

    organization_id: str
    total_syncs: int
    successful_syncs: int
    failed_syncs: int
    cancelled_syncs: int
    last_sync_at: Moment | None = None
    last_successful_sync_at: Moment | None = None
    average_sync_duration_seconds: float | None = None
    recent_syncs: list[PastRun]

    @classmethod
    def of(cls, organization_id: str, totals: Totals, recent: list[PastRun]) -> Self:
        """The whole page."""
        average = totals.average_seconds
        return cls(
            organization_id=organization_id,
            total_syncs=totals.total,
            successful_syncs=totals.successful,
            failed_syncs=totals.failed,
            cancelled_syncs=totals.cancelled,
            last_sync_at=totals.last_ended_at,
            last_successful_sync_at=totals.last_completed_at,
            average_sync_duration_seconds=None if average is None else round(average, 1),
            recent_syncs=recent,
        )
