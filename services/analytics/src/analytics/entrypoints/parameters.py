"""What a request says, checked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError

from analytics.adapters.store import Store
from analytics.domain.periods import Timeframe
from analytics.domain.retention import Position
from analytics.entrypoints.cursor import position
from chassis.database import Database
from chassis.identity import identify, own_organization


@dataclass(frozen=True)
class Asking:
    """A request about an organization, and the moment at which all it is told is to be true."""

    organization_id: str
    database: Database
    now: datetime

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The transaction of the request. FastAPI would take a tenth more of the time to keep one open for a route."""
        async with self.database.transaction(self.organization_id) as connection:
            yield Store(connection)


async def clock() -> datetime:
    """The one moment at which everything in a request is true."""
    return datetime.now(UTC)


async def asking(
    request: Request, organization_id: Annotated[str, Path()], now: Annotated[datetime, Depends(clock)]
) -> Asking:
    """The request of someone who may ask it."""
    await own_organization(organization_id, await identify(request))
    return Asking(organization_id, request.app.state.database, now)


async def after(
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Position | None:
    """Where the page before ended."""
    try:
        return None if cursor is None else position(cursor)
    except ValueError:
        problem = {"loc": ("query", "cursor"), "msg": "This is no next_cursor of this list.", "type": "cursor"}
        raise RequestValidationError([problem]) from None


Asked = Annotated[Asking, Depends(asking)]
Limit = Annotated[int, Query(ge=1, le=100)]
PageSize = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[Position | None, Depends(after)]
Days = Annotated[
    Timeframe,
    Query(description="So many days (`1y`: 365) in UTC, up to today: today is told with what is still to come."),
]
