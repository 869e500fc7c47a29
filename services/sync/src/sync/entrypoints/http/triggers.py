"""Every way to start a run. All answer with its id; with one under way, with that one's."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from chassis.identity import Caller, Identified, OwnOrganization, administrator
from contracts.events import SyncMode
from sync import handlers
from sync.adapters.store import Store
from sync.domain.run import Run
from sync.entrypoints.shapes.runs import SyncStarted, SyncTriggered
from sync.entrypoints.transactions import RequestStore

router = APIRouter()

NOT_CONNECTED: dict[int | str, dict[str, Any]] = {409: {"description": "Cliniko is not connected."}}
Mode = Annotated[SyncMode, Query(description="How much to read.")]
Full = Annotated[bool, Query(description="The same as `mode=comprehensive`.")]
Confirm = Annotated[
    bool, Query(description="Remove what Cliniko has no more, however much that is. For administrators.")
]


@router.post("/sync/trigger", tags=["Sync"], responses=NOT_CONNECTED)
async def trigger_sync(
    caller: Identified,
    store: RequestStore,
    mode: Mode = "comprehensive",
    *,
    force_full: Full = False,
    confirm_removals: Confirm = False,
) -> SyncTriggered:
    """Start a run of the caller's organization."""
    run, started = await _start("comprehensive" if force_full else mode, caller, store, confirmed=confirm_removals)
    return SyncTriggered.of(run, datetime.now(UTC), started=started)


@router.post("/sync/scheduler/trigger", tags=["Sync"], responses=NOT_CONNECTED)
async def trigger_scheduled_sync(caller: Identified, store: RequestStore) -> SyncTriggered:
    """Start the scheduler's hourly run now."""
    run, started = await handlers.start_scheduled(caller, store)
    return SyncTriggered.of(run, datetime.now(UTC), started=started)


@router.post("/cliniko/sync/{organization_id}", tags=["Cliniko"], responses=NOT_CONNECTED)
async def start_sync(
    organization_id: OwnOrganization,
    caller: Identified,
    store: RequestStore,
    mode: Mode = "comprehensive",
    *,
    force_full: Full = False,
    confirm_removals: Confirm = False,
) -> SyncStarted:
    """Start a run, unless one is under way."""
    run, started = await _start("comprehensive" if force_full else mode, caller, store, confirmed=confirm_removals)
    return SyncStarted.of(run, datetime.now(UTC), started=started)


@router.post("/cliniko/import-patients/{organization_id}", tags=["Cliniko"], responses=NOT_CONNECTED)
async def import_patients(
    organization_id: OwnOrganization,
    caller: Identified,
    store: RequestStore,
) -> SyncStarted:
    """Start a run that reads patients only."""
    run, started = await handlers.start_sync("patients-only", caller, store)
    return SyncStarted.of(run, datetime.now(UTC), started=started)


async def _start(mode: SyncMode, caller: Caller, store: Store, *, confirmed: bool) -> tuple[Run, bool]:
    if confirmed:
        await administrator(caller)
    return await handlers.start_sync(mode, caller, store, confirm_removals=confirmed)
