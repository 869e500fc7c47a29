"""Times that the restore of a backup has undone: what the sync service announced in them, it knows nothing of any more.

Such an event may still lie in a queue, or among the dead letters. What is still so is said again by a replay.
"""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.base import Event

E = TypeVar("E", bound=Event)

_TIMES = text("SELECT since, until FROM undone_times")


async def standing(connection: AsyncConnection, events: Sequence[E]) -> list[E]:
    """Those that no restore has undone."""
    times = [tuple(row) for row in await connection.execute(_TIMES)]
    return [event for event in events if not any(since <= event.occurred_at <= until for since, until in times)]
