"""Runs under way and over, and the records they set aside."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from chassis.errors import BadRequest
from chassis.identity import Administrator, Identified, OwnOrganization
from sync import handlers
from sync.adapters.holdings import BEGINNING, Place
from sync.entrypoints.shapes.runs import PastRun, SyncCancelled, SyncHistory, SyncProgress
from sync.entrypoints.shapes.schedule import RejectedRecord, RejectedRecords
from sync.entrypoints.transactions import RequestStore

router = APIRouter(tags=["Sync"])


@router.get("/sync/progress/{sync_id}")
async def progress(sync_id: str, store: RequestStore) -> SyncProgress:
    """How far a run is."""
    return SyncProgress.of(await handlers.report_progress(sync_id, store))


@router.post("/sync/cancel/{sync_id}", responses={409: {"description": "The sync is over."}})
async def cancel_sync(sync_id: str, caller: Identified, store: RequestStore) -> SyncCancelled:
    """Stop a run before it brings in another page."""
    run = await handlers.cancel(sync_id, caller, store)
    return SyncCancelled(
        message="Sync cancelled",
        organization_id=run.organization_id,
        sync_id=run.sync_id,
        status=run.status,
        timestamp=datetime.now(UTC),
    )


@router.get("/sync/history/{organization_id}")
async def sync_history(
    organization_id: OwnOrganization, store: RequestStore, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> SyncHistory:
    """The organization's runs."""
    recent = [PastRun.of(run) for run in await store.history.recent(limit)]
    return SyncHistory.of(organization_id, await store.history.totals(), recent)


@router.get("/sync/rejected/{organization_id}")
async def rejected_records(
    organization_id: OwnOrganization,
    _caller: Administrator,
    store: RequestStore,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> RejectedRecords:
    """The records that could not be understood, by kind and id, each with its reason."""
    page = await store.holdings.set_aside(_place(cursor), limit + 1)
    shown = page[:limit]
    more = len(page) > limit
    return RejectedRecords(
        organization_id=organization_id,
        rejected=[RejectedRecord(**vars(record)) for record in shown],
        total_count=await store.holdings.set_aside_count(),
        next_cursor=_cursor(Place(shown[-1].kind, shown[-1].cliniko_id)) if more else None,
        timestamp=datetime.now(UTC),
    )


def _cursor(place: Place) -> str:
    return urlsafe_b64encode("\n".join(place).encode()).decode()


def _place(cursor: str | None) -> Place:
    if cursor is None:
        return BEGINNING
    try:
        kind, cliniko_id = urlsafe_b64decode(cursor.encode()).decode().split("\n", 1)
    except ValueError:
        raise BadRequest("query.cursor: This is no next_cursor of this list.") from None
    return Place(kind, cliniko_id)
