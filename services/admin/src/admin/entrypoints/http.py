"""`/api/v1/admin`: for the platform's operators."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from admin import handlers
from admin.adapters.chain import Chain
from admin.adapters.trail import Trail
from admin.entrypoints.asking import Asked, AuditedOrganization
from admin.entrypoints.shapes import AuditPage, Cleanup, SystemHealth
from chassis.database import Database
from chassis.identity import Operator, operator

router = APIRouter(prefix="/api/v1/admin", tags=["Administration"], dependencies=[Depends(operator)])


@router.get("/monitoring/system-health")
async def system_health(request: Request) -> SystemHealth:
    """How the platform is; while the database is away, that and nothing else."""
    database: Database = request.app.state.database
    return SystemHealth.of(await handlers.examine_platform(database), datetime.now(UTC))


@router.get("/audit/{organization_id}")
async def audit_trail(
    request: Request, organization_id: AuditedOrganization, inquiry: Asked, caller: Operator
) -> AuditPage:
    """What is on record of an organization, the newest first; that somebody looked is put on record too."""
    database: Database = request.app.state.database
    now = datetime.now(UTC)
    async with database.transaction(organization_id) as connection:
        trail, chain = Trail(connection, organization_id), Chain(connection, organization_id)
        found = await handlers.look_up(inquiry, trail, chain, caller, now)
    return AuditPage.of(organization_id, found, inquiry, now)


@router.post("/database/cleanup")
async def clean_up(
    request: Request,
    caller: Operator,
    days_old: Annotated[int, Query(ge=1, le=3650, description="What is younger stays.")] = 90,
) -> Cleanup:
    """Remove what is older; audit entries only once the law lets them go."""
    database: Database = request.app.state.database
    years: int = request.app.state.audit_years
    cleaned = await handlers.clean_up(database, days_old, years, caller, datetime.now(UTC))
    return Cleanup.of(cleaned, days_old, years, datetime.now(UTC))
