"""What a service announces is written beside the change it reports, and published once that is committed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aio_pika.exceptions import DeliveryError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from chassis.logs import describe
from chassis.metrics import PUBLISHED, UNPUBLISHED, turned
from contracts.base import Event

log = structlog.get_logger()

PAGE = 50
REFUSED_SECONDS, AWAY_SECONDS = 10.0, 0.5
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
_CLAIM = text("""
    SELECT id, event_id, routing_key, body FROM outbox WHERE not_before <= now()
    ORDER BY id LIMIT :page FOR UPDATE SKIP LOCKED
""")
_DELETE = text("DELETE FROM outbox WHERE id = ANY(:ids)")
_PUT_BACK = text("""
    UPDATE outbox SET not_before = now() + make_interval(secs => pause)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:pauses AS double precision[])) AS failed (failed_id, pause)
    WHERE id = failed_id
""")


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


async def relay(database: Database, connected: Callable[[], Awaitable[object]], publish: Publish) -> None:
    """Publish what is committed, until the connection that listens is lost. Any number may run beside each other.

    `connected` returns while there is a broker: no row is claimed, and no transaction opened, without one.
    """
    async with database.listening(f"outbox_{database.schema}") as notifications:
        while not notifications.lost:
            await connected()
            turned("outbox", POLL_SECONDS)
            if await publish_page(database, publish) < PAGE:
                await notifications.wait(POLL_SECONDS)


async def publish_page(database: Database, publish: Publish) -> int:
    """Publish up to a page; delete what was confirmed, put the others back for a while. Returns how many there were."""
    async with database.transaction() as connection:
        letters = [Letter(*row) for row in await connection.execute(_CLAIM, {"page": PAGE})]
        outcomes = await asyncio.gather(*map(publish, letters), return_exceptions=True)
        failures = {one: error for one, error in zip(letters, outcomes, strict=True) if error is not None}
        confirmed = [letter.id for letter in letters if letter not in failures]
        if confirmed:
            await connection.execute(_DELETE, {"ids": confirmed})
        if failures:
            pauses = [_pause_after(error) for error in failures.values()]
            await connection.execute(_PUT_BACK, {"ids": [letter.id for letter in failures], "pauses": pauses})
    PUBLISHED.inc(len(confirmed))
    _complain(failures)
    return len(letters)


def _pause_after(error: BaseException) -> float:
    """An event the broker refuses, say for want of a queue, lets the others pass; otherwise the broker was away."""
    return REFUSED_SECONDS if isinstance(error, DeliveryError) else AWAY_SECONDS


def _complain(failures: Mapping[Letter, BaseException]) -> None:
    if failures:
        UNPUBLISHED.inc(len(failures))
        letter, error = next(iter(failures.items()))
        log.warning("events not published", count=len(failures), routing_key=letter.routing_key, **describe(error))
