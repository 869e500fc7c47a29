"""`/api/v1/sync/*` and `/api/v1/cliniko/*`."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request
from pydantic import SecretStr

from chassis.errors import BadRequest
from chassis.identity import Administrator, Identified, OwnOrganization
from contracts.timestamps import iso
from sync import handlers
from sync.domain.run import STEPS
from sync.entrypoints.transactions import RequestStore, transactions_of

router = APIRouter(prefix="/api/v1")

RequestedMode = Literal["comprehensive", "basic", "patients-only"]
MODE_TITLES = {"comprehensive": "Comprehensive", "basic": "Basic", "patients-only": "Patients-only"}


@router.put("/cliniko/connection/{organization_id}")
async def connect(
    organization_id: OwnOrganization,
    caller: Administrator,
    request: Request,
    api_key: Annotated[SecretStr, Body(embed=True, max_length=512)],
) -> dict[str, Any]:
    """Connect the organization to Cliniko with this key, after Cliniko has accepted it."""
    state, key = request.app.state, api_key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise BadRequest("api_key: An API key of Cliniko consists of visible ASCII characters.")
    await handlers.check_key(key, state.accounts.probe)
    async with transactions_of(state.database)(organization_id) as store:
        region = await handlers.store_key(key, caller.request_id, store, state.vault)
    return _answer(organization_id, "Cliniko is connected", api_region=region, cliniko_connected=True)


@router.delete("/cliniko/connection/{organization_id}")
async def disconnect(organization_id: OwnOrganization, caller: Administrator, store: RequestStore) -> dict[str, Any]:
    """Forget the organization's key."""
    await handlers.disconnect(caller.request_id, store)
    return _answer(organization_id, "Cliniko is disconnected", cliniko_connected=False)


@router.post("/cliniko/sync/{organization_id}")
async def start_sync(
    organization_id: OwnOrganization,
    caller: Identified,
    store: RequestStore,
    mode: RequestedMode = "comprehensive",
    *,
    force_full: bool = False,
) -> dict[str, Any]:
    """Start a run, unless one is under way."""
    run, started = await handlers.start_sync("comprehensive" if force_full else mode, caller.request_id, store)
    title = f"{MODE_TITLES.get(run.mode, 'Incremental')} Cliniko sync"
    message = f"{title} started successfully" if started else f"{title} is already running"
    return _answer(organization_id, message, sync_mode=run.mode, sync_id=run.sync_id, sync_started=started)


@router.get("/sync/progress/{sync_id}")
async def progress(sync_id: str, store: RequestStore) -> dict[str, Any]:
    """How far a run is."""
    found = await handlers.report_progress(sync_id, store)
    run = found.run
    seen = run.records_landed + run.records_rejected
    return {
        "sync_id": run.sync_id,
        "organization_id": run.organization_id,
        "status": run.status,
        "progress_percentage": run.progress,
        "current_step": run.current_step,
        "total_steps": len(STEPS),
        "completed_steps": run.completed_steps,
        "started_at": iso(run.started_at),
        "estimated_completion": iso(found.estimated_completion) if found.estimated_completion else None,
        "records_processed": seen,
        "records_total": max(run.records_total or 0, seen),
        "records_failed": run.records_rejected,
        "completed_at": iso(run.completed_at) if run.completed_at and run.status != "running" else None,
        "failure": run.failure,
    }


def _answer(organization_id: str, message: str, **more: Any) -> dict[str, Any]:
    now = iso(datetime.now(UTC))
    return {"success": True, "message": message, "organization_id": organization_id, **more, "timestamp": now}
