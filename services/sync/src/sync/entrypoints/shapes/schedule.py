"""The schedule, and the records it could not bring in."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from contracts.timestamps import Moment
from sync.entrypoints import examples
from sync.entrypoints.shapes.done import Done
from sync.handlers.schedule import PausedReason, Standing


class SchedulerStatus(BaseModel):
    """`scheduler_active` is true only if this clinic's runs will start by themselves."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SCHEDULER_STATUS]})

    organization_id: str
    sync_running: bool
    last_sync_time: Moment | None = None
    scheduler_active: bool
    message: str
    sync_id: str | None = None
    schedule_enabled: bool
    paused_reason: PausedReason | None = None
    next_sync_at: Moment | None = None

    @classmethod
    def of(cls, organization_id: str, standing: Standing) -> Self:
        """What is shown of a schedule."""
        return cls(
            organization_id=organization_id,
            sync_running=standing.running is not None,
            last_sync_time=standing.last_completed_at,
            scheduler_active=standing.scheduler_active,
            message="Scheduler status retrieved successfully",
            sync_id=standing.running.sync_id if standing.running else None,
            schedule_enabled=standing.paused_reason is None,
            paused_reason=standing.paused_reason,
            next_sync_at=standing.next_run_at if standing.scheduler_active else None,
        )


class ScheduleSwitched(Done):
    """Paused or resumed; a refused key holds it all the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SCHEDULE_PAUSED]})

    schedule_enabled: bool
    paused_reason: PausedReason | None = None
    next_sync_at: Moment | None = None

    @classmethod
    def of(cls, organization_id: str, standing: Standing, now: datetime, message: str) -> Self:
        """The answer to a switch."""
        return cls(
            message=message,
            organization_id=organization_id,
            schedule_enabled=standing.paused_reason is None,
            paused_reason=standing.paused_reason,
            next_sync_at=standing.next_run_at,
            timestamp=now,
        )


class RejectedRecord(BaseModel):
    """A record of Cliniko that could not be understood; each run tries again."""

    kind: str
    cliniko_id: str
    reason: str
    sync_id: str


class RejectedRecords(BaseModel):
    """A page of them; `next_cursor` is null on the last one."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.REJECTED]})

    organization_id: str
    rejected: list[RejectedRecord]
    total_count: int
    next_cursor: str | None = None
    timestamp: Moment
