"""What a service announces is written beside the change it reports, and published once that is committed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from chassis.logs import describe
from chassis.metrics import PUBLISHED, UNPUBLISHED
from contracts.base import Event

log = structlog.get_logger()

PAGE = 50
POLL_SECONDS = 5.0
"""How long an event can wait if a notification was missed."""


@dataclass(frozen=True)
class Letter:
    """A committed event on its way to the broker."""

    id: int
    event_id: str
    routing_key: str
    body: bytes


Publish = Callable[[Letter], Awaitable[None]]

_WRITE = text("""
    WITH written AS (
        INSERT INTO outbox (event_id, routing_key, body)
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:bodies AS bytea[]))
    )
    SELECT pg_notify('outbox_' || current_schema(), '')
""")
_CLAIM = text("SELECT id, event_id, routing_key, body FROM outbox ORDER BY id LIMIT :page FOR UPDATE SKIP LOCKED")
_DELETE = text("DELETE FROM outbox WHERE id = ANY(:ids)")


async def announce(connection: AsyncConnection, producer: str, events: Sequence[Event]) -> None:
    """Write `events` into the outbox of this transaction; the relay is woken by its commit."""
    await connection.execute(
        _WRITE,
        {
            "ids": [event.event_id for event in events],
            "keys": [event.routing_key(producer) for event in events],
            "bodies": [event.model_dump_json().encode() for event in events],
        },
    )


async def relay(database: Database, publish: Publish) -> None:
    """Publish what is committed, for ever. Any number may run: rows are claimed with SKIP LOCKED."""
    async with database.listening(f"outbox_{database.schema}") as notified:
        while True:
            notified.clear()
            while await publish_page(database, publish) == PAGE:
                pass
            try:
                await asyncio.wait_for(notified.wait(), POLL_SECONDS)
            except TimeoutError:
                continue


async def publish_page(database: Database, publish: Publish) -> int:
    """Publish up to a page; delete what was confirmed. Returns how many were confirmed, raises if any was not."""
    async with database.transaction() as connection:
        letters = [Letter(*row) for row in await connection.execute(_CLAIM, {"page": PAGE})]
        outcomes = await asyncio.gather(*map(publish, letters), return_exceptions=True)
        confirmed = [letter.id for letter, outcome in zip(letters, outcomes, strict=True) if outcome is None]
        if confirmed:
            await connection.execute(_DELETE, {"ids": confirmed})
    PUBLISHED.inc(len(confirmed))
    _complain(letters, outcomes)
    return len(confirmed)


def _complain(letters: Sequence[Letter], outcomes: Sequence[BaseException | None]) -> None:
    failures = [(letter, error) for letter, error in zip(letters, outcomes, strict=True) if error is not None]
    if failures:
        UNPUBLISHED.inc(len(failures))
        letter, error = failures[0]
        log.warning("events not published", count=len(failures), routing_key=letter.routing_key, **describe(error))
        raise error
