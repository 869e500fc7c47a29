"""`/api/v1/dashboard`: what the clinic's frontend reads."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from analytics import handlers
from analytics.adapters.store import Store
from analytics.entrypoints.shapes import Activity, Dashboard, Summary
from chassis.database import Transaction
from chassis.identity import OwnOrganization

router = APIRouter(prefix="/api/v1/dashboard/{organization_id}", tags=["Dashboard"])

Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("")
async def dashboard(organization_id: OwnOrganization, connection: Transaction, activity_limit: Limit = 10) -> Dashboard:
    """The clinic's figures and its newest syncs."""
    store, now = Store(connection), datetime.now(UTC)
    figures = await handlers.summarize(organization_id, store, now)
    activity = await handlers.recall_activity(organization_id, activity_limit, store, now)
    return Dashboard(
        organization_id=organization_id,
        summary=Summary.model_validate(figures),
        recent_activity=[Activity.model_validate(run) for run in activity],
        timestamp=now,
    )


@router.get("/summary")
async def summary(organization_id: OwnOrganization, connection: Transaction) -> Summary:
    """The clinic's figures."""
    return Summary.model_validate(await handlers.summarize(organization_id, Store(connection), datetime.now(UTC)))


@router.get("/activity")
async def activity(organization_id: OwnOrganization, connection: Transaction, limit: Limit = 20) -> list[Activity]:
    """The clinic's newest syncs."""
    runs = await handlers.recall_activity(organization_id, limit, Store(connection), datetime.now(UTC))
    return [Activity.model_validate(run) for run in runs]
