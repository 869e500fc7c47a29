"""`/api/v1/sync/*` and `/api/v1/cliniko/*`."""

import re
from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request

from chassis.errors import BadRequest
from chassis.identity import Administrator, Identified, OwnOrganization
from sync import handlers
from sync.domain.run import STEPS
from sync.entrypoints.shapes import Connected, Credentials, Disconnected, SyncProgress, SyncStarted
from sync.entrypoints.transactions import RequestStore, transactions_of

router = APIRouter(prefix="/api/v1")

RequestedMode = Literal["comprehensive", "basic", "patients-only"]
MODE_TITLES = {"comprehensive": "Comprehensive", "basic": "Basic", "patients-only": "Patients-only"}


@router.put("/cliniko/connection/{organization_id}", tags=["Cliniko"])
async def connect(
    organization_id: OwnOrganization,
    caller: Administrator,
    request: Request,
    credentials: Credentials,
) -> Connected:
    """Connect the organization to Cliniko with this key, after Cliniko has accepted it."""
    state, key = request.app.state, credentials.api_key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise BadRequest("api_key: An API key of Cliniko consists of visible ASCII characters.")
    await handlers.check_key(key, state.accounts.probe)
    async with transactions_of(state.database)(organization_id) as store:
        region = await handlers.store_key(key, caller.request_id, store, state.vault)
    return Connected(
        message="Cliniko is connected", organization_id=organization_id, api_region=region, timestamp=datetime.now(UTC)
    )


@router.delete("/cliniko/connection/{organization_id}", tags=["Cliniko"])
async def disconnect(organization_id: OwnOrganization, caller: Administrator, store: RequestStore) -> Disconnected:
    """Forget the organization's key."""
    await handlers.disconnect(caller.request_id, store)
    return Disconnected(message="Cliniko is disconnected", organization_id=organization_id, timestamp=datetime.now(UTC))


@router.post(
    "/cliniko/sync/{organization_id}", tags=["Cliniko"], responses={409: {"description": "Cliniko is not connected."}}
)
async def start_sync(
    organization_id: OwnOrganization,
    caller: Identified,
    store: RequestStore,
    mode: RequestedMode = "comprehensive",
    *,
    force_full: bool = False,
) -> SyncStarted:
    """Start a run, unless one is under way."""
    run, started = await handlers.start_sync("comprehensive" if force_full else mode, caller.request_id, store)
    title = f"{MODE_TITLES.get(run.mode, 'Incremental')} Cliniko sync"
    message = f"{title} started successfully" if started else f"{title} is already running"
    return SyncStarted(
        message=message,
        organization_id=organization_id,
        sync_mode=run.mode,
        sync_id=run.sync_id,
        sync_started=started,
        timestamp=datetime.now(UTC),
    )


@router.get("/sync/progress/{sync_id}", tags=["Sync"])
async def progress(sync_id: str, store: RequestStore) -> SyncProgress:
    """How far a run is."""
    found = await handlers.report_progress(sync_id, store)
    run = found.run
    seen = run.records_landed + run.records_rejected
    return SyncProgress(
        sync_id=run.sync_id,
        organization_id=run.organization_id,
        status=run.status,
        progress_percentage=run.progress,
        current_step=run.current_step,
        total_steps=len(STEPS),
        completed_steps=run.completed_steps,
        started_at=run.started_at,
        estimated_completion=found.estimated_completion,
        records_processed=seen,
        records_total=max(run.records_total or 0, seen),
        records_failed=run.records_rejected,
        completed_at=run.completed_at if run.status != "running" else None,
        failure=run.failure,
    )
