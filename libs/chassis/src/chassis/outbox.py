"""What a service announces is written beside the change it reports, and published once that is committed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import structlog
from aio_pika.exceptions import DeliveryError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import tracing
from chassis.database import LAST_STATEMENTS, Database
from chassis.logs import describe
from chassis.metrics import PUBLISHED, UNPUBLISHED, turned
from chassis.tasks import set_within
from contracts.base import Event

log = structlog.get_logger()

PAGE = 50
REFUSED_SECONDS, AWAY_SECONDS = 10.0, 0.5
POLL_SECONDS = 5.0
"""How long an event can wait that another process has announced, and left."""


@dataclass(frozen=True)
class Letter:
    """A committed event on its way to the broker."""

    id: int
    event_id: str
    routing_key: str
    body: bytes
    traceparent: str | None = None
    """The trace it was written in."""


Publish = Callable[[Letter], Awaitable[None]]

_WRITE = "INSERT INTO outbox (event_id, routing_key, body, traceparent) VALUES "
_CLAIM = text("""
    SELECT id, event_id, routing_key, body, traceparent FROM outbox WHERE not_before <= now()
    ORDER BY id LIMIT :page FOR UPDATE SKIP LOCKED
""")
_DELETE = text("DELETE FROM outbox WHERE id = ANY(:ids)")
_PUT_BACK = text("""
    UPDATE outbox SET not_before = now() + make_interval(secs => pause)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:pauses AS double precision[])) AS failed (failed_id, pause)
    WHERE id = failed_id
""")


async def announce(connection: AsyncConnection, producer: str, events: Sequence[Event]) -> None:
    """Have `events` written into the outbox at the end of this transaction; its commit wakes this process's relay.

    PostgreSQL's NOTIFY would wake those of all processes, and have the transactions that announce commit one by one.
    """
    if events:
        trace = f"nullif('{tracing.traceparent() or ''}', '')"
        rows = (f"('{one.event_id}', '{one.routing_key(producer)}', '{_hex(one)}', {trace})" for one in events)
        connection.info[LAST_STATEMENTS].append(_WRITE + ", ".join(rows))


def _hex(event: Event) -> str:
    """The body as PostgreSQL reads bytes from text: nothing in it can end a literal."""
    return "\\x" + event.model_dump_json().encode().hex()


async def relay(database: Database, connected: Callable[[], Awaitable[object]], publish: Publish) -> NoReturn:
    """Publish what is committed. Any number may run beside each other.

    `connected` returns while there is a broker: no row is claimed, and no transaction opened, without one.
    """
    while True:
        await connected()
        turned("outbox", POLL_SECONDS)
        database.announced.clear()
        if await publish_page(database, publish) < PAGE:
            await set_within(database.announced, POLL_SECONDS)


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
