"""`/api/v1/sync/*` and `/api/v1/cliniko/*`."""

from fastapi import APIRouter

from sync.entrypoints.http import connection, runs, schedule, stream, triggers

router = APIRouter(prefix="/api/v1")
for part in (triggers, runs, stream, schedule, connection):
    router.include_router(part.router)
