"""What a request says, checked."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError

from analytics.adapters.store import Store
from analytics.domain.periods import Timeframe
from analytics.domain.retention import Position
from analytics.entrypoints.cursor import position
from chassis.database import Transaction


async def own_store(connection: Transaction) -> Store:
    """The tables, in the request's transaction."""
    return Store(connection)


async def clock() -> datetime:
    """The one moment at which everything in a request is true."""
    return datetime.now(UTC)


async def after(
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Position | None:
    """Where the page before ended."""
    try:
        return None if cursor is None else position(cursor)
    except ValueError:
        problem = {"loc": ("query", "cursor"), "msg": "This is no next_cursor of this list.", "type": "cursor"}
        raise RequestValidationError([problem]) from None


OwnStore = Annotated[Store, Depends(own_store)]
Now = Annotated[datetime, Depends(clock)]
Limit = Annotated[int, Query(ge=1, le=100)]
PageSize = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[Position | None, Depends(after)]
Days = Annotated[
    Timeframe,
    Query(description="So many days (`1y`: 365) in UTC, up to today: today is told with what is still to come."),
]
