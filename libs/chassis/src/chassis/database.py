"""The service's own schema, and the transaction every request and message gets."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, cast

import asyncpg
from fastapi import Depends, Request
from prometheus_client import Histogram
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from chassis.identity import Identified

STATEMENT_SECONDS = 30
"""After which a statement is given up: the network may be gone without a word."""
TRUSTED_SECONDS = 1.0
"""For so long after its last use a connection is taken to be alive unless it is known to be closed."""
WAITED = Histogram(
    "routiq_database_wait_seconds",
    "Until a transaction had a connection.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10),
)
SET_TENANT = text("SELECT set_config('routiq.organization_id', :organization_id, true)")
"""Row-level security shows a transaction this organization's rows; without it, none."""


AWAY = ("08", "25006", "28", "42P01", "53", "57P")
"""PostgreSQL's errors for lost connections, a standby, changed passwords, migrations that have not run yet,
exhausted resources and shutdown: each passes without the caller changing anything."""


UNREACHABLE = (ConnectionError, TimeoutError, socket.gaierror, PoolTimeout, asyncpg.InterfaceError)


class Notifications:
    """What a listener has heard; `lost` once its connection is gone, after which it hears no more."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.lost = False

    def end(self, *_: object) -> None:
        """The connection is gone."""
        self.lost = True
        self.heard.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next notification, at the loss of the connection, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` may swallow a cancellation that meets the notification
                await self.heard.wait()
        self.heard.clear()


class Database:
    """Connections of one service to its schema; errors never quote parameters."""

    def __init__(self, url: str, schema: str, *, connections: int = 16) -> None:
        self.schema = schema
        self._engine = create_async_engine(
            engine_url(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "command_timeout": STATEMENT_SECONDS,
                "server_settings": {"search_path": schema, "application_name": schema},
            },
        )
        _replace_dead_connections(self._engine)

    @asynccontextmanager
    async def transaction(self, organization_id: str | None = None) -> AsyncIterator[AsyncConnection]:
        """Commits on leaving, rolls back on an exception. Without an organization no tenant's row can be seen."""
        asked = time.perf_counter()
        async with self._engine.begin() as connection:
            WAITED.observe(time.perf_counter() - asked)
            if organization_id is not None:
                await connection.execute(SET_TENANT, {"organization_id": organization_id})
            yield connection

    @asynccontextmanager
    async def listening(self, channel: str, *, holding: int | None = None) -> AsyncIterator["Notifications"]:
        """Hear every notification on `channel`, over a connection of its own that is not used again.

        The advisory lock `holding` is held as long: whoever finds it free knows that the listener is gone.
        """
        notifications = Notifications()
        async with self._engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101 - just connected; narrows it for the checker
            driver.add_termination_listener(notifications.end)
            if holding is not None:
                await driver.execute("SELECT pg_advisory_lock($1)", holding)
            await driver.add_listener(channel, lambda *_: notifications.heard.set())
            try:
                yield notifications
            finally:
                await connection.invalidate()

    @property
    def connections(self) -> tuple[int, int]:
        """How many are in use, and how many there may be."""
        pool = cast(QueuePool, self._engine.sync_engine.pool)
        return pool.checkedout(), pool.size()

    async def answers(self) -> bool:
        """True when a statement comes back."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return True

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()


def _replace_dead_connections(engine: AsyncEngine) -> None:
    """No connection that died in the pool is handed out, and none that was at work just now is asked for a sign."""
    pool, dialect = engine.sync_engine.pool, engine.dialect

    def note(_connection: object, record: Any) -> None:
        record.info["used"] = time.monotonic()

    def check(connection: Any, record: Any, _proxy: object) -> None:
        idle = time.monotonic() - record.info.get("used", time.monotonic())
        if connection.driver_connection.is_closed() or (idle > TRUSTED_SECONDS and not answers(connection)):
            raise InvalidatePoolError  # the pool makes a new one, and no other of this age is used again

    def answers(connection: Any) -> bool:
        try:
            return dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error:
            return False

    event.listen(pool, "checkin", note)
    event.listen(pool, "checkout", check)


def is_outage(error: Exception) -> bool:
    """True when the database is away, starting, stopping or full, rather than unhappy with what it was told."""
    cause: BaseException | None = error
    if isinstance(error, DBAPIError):
        cause = error.orig and error.orig.__cause__
    if isinstance(cause, asyncpg.DataError):  # the driver's word for a value that does not fit, and an InterfaceError
        return False
    return (sqlstate_of(error) or "").startswith(AWAY) or isinstance(cause, UNREACHABLE)


def sqlstate_of(error: BaseException) -> str | None:
    """PostgreSQL's code for what went wrong, when it was PostgreSQL that said so."""
    code: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return code


def engine_url(url: str) -> URL:
    """An address as other programs write it, for SQLAlchemy and asyncpg; libpq's `sslmode` is asyncpg's `ssl`."""
    given = make_url(url).set(drivername="postgresql+asyncpg")
    if "sslmode" in given.query:
        given = given.difference_update_query(["sslmode"]).update_query_dict({"ssl": given.query["sslmode"]})
    return given


async def per_request(request: Request, caller: Identified) -> AsyncIterator[AsyncConnection]:
    """One transaction a request, in the caller's organization, committed before the response leaves."""
    database: Database = request.app.state.database
    async with database.transaction(caller.organization_id) as connection:
        yield connection


Transaction = Annotated[AsyncConnection, Depends(per_request, scope="function")]
