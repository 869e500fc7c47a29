"""`/api/v1/admin`: for the platform's operators."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request

from admin import handlers
from admin.entrypoints.shapes import SystemHealth
from chassis.database import Database
from chassis.identity import operator

router = APIRouter(prefix="/api/v1/admin", tags=["Administration"], dependencies=[Depends(operator)])


@router.get("/monitoring/system-health")
async def system_health(request: Request) -> SystemHealth:
    """How the platform is; while the database is away, that and nothing else."""
    database: Database = request.app.state.database
    return SystemHealth.of(await handlers.examine_platform(database), datetime.now(UTC))
