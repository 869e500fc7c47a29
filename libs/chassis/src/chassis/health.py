"""`/health/live`: the process turns. `/health/ready`: it can do its work, and goes on with it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[bool]]

PATIENCE_SECONDS = 2.0
STOPPING = "stopping"
"""Of one process, which says nothing of the service's others."""


def health_routes(checks: Mapping[str, Check]) -> APIRouter:
    """Routes that answer from these checks; one that fails or takes longer than 2 s counts as false."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(request: Request) -> JSONResponse:
        outcomes = await asyncio.gather(*(_holds(check) for check in checks.values()))
        stopping = getattr(request.app.state, "stopping", False)
        everything = all(outcomes) and not stopping
        return JSONResponse(
            {
                "status": STOPPING if stopping else "ready" if everything else "not ready",
                "checks": dict(zip(checks, outcomes, strict=True)),
            },
            status_code=200 if everything else 503,
        )

    return router


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await check()
    except Exception:  # a check that cannot be made has not been passed
        return False
