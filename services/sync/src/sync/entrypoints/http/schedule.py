"""The schedule of the caller's organization."""

from datetime import UTC, datetime

from fastapi import APIRouter

from chassis.database import Transaction
from chassis.identity import Administrator, Identified, OwnOrganization
from sync import handlers
from sync.adapters.replicas import last_beat
from sync.entrypoints.http.triggers import NOT_CONNECTED
from sync.entrypoints.shapes.schedule import SchedulerStatus, ScheduleSwitched
from sync.entrypoints.transactions import RequestStore

router = APIRouter(tags=["Sync"])


@router.get("/sync/scheduler/status")
async def scheduler_status(caller: Identified, store: RequestStore, connection: Transaction) -> SchedulerStatus:
    """Whether and when runs start by themselves."""
    standing = await handlers.schedule_standing(await last_beat(connection), store)
    return SchedulerStatus.of(caller.organization_id, standing)


@router.post("/sync/schedule/{organization_id}/pause", responses=NOT_CONNECTED)
async def pause_schedule(
    organization_id: OwnOrganization, caller: Administrator, store: RequestStore
) -> ScheduleSwitched:
    """Start no run by itself until it is resumed; a run under way goes on."""
    standing = await handlers.switch_schedule(caller, store, enabled=False)
    return ScheduleSwitched.of(organization_id, standing, datetime.now(UTC), "The schedule is paused")


@router.post("/sync/schedule/{organization_id}/resume", responses=NOT_CONNECTED)
async def resume_schedule(
    organization_id: OwnOrganization, caller: Administrator, store: RequestStore
) -> ScheduleSwitched:
    """Start runs by themselves again."""
    standing = await handlers.switch_schedule(caller, store, enabled=True)
    return ScheduleSwitched.of(organization_id, standing, datetime.now(UTC), "The schedule is resumed")
