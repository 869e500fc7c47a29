"""The service's own schema, and the transaction every request and message gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis.identity import Identified

SET_TENANT = text("SELECT set_config('routiq.organization_id', :organization_id, true)")
"""Row-level security shows a transaction this organization's rows; without it, none."""


AWAY = ("08", "53", "57P")
"""PostgreSQL's classes of error for lost connections, exhausted resources and shutdown."""


class Database:
    """Connections of one service to its schema; errors never quote parameters."""

    def __init__(self, url: str, schema: str, *, connections: int = 10) -> None:
        self.schema = schema
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"timeout": 5, "server_settings": {"search_path": schema, "application_name": schema}},
        )

    @asynccontextmanager
    async def transaction(self, organization_id: str | None = None) -> AsyncIterator[AsyncConnection]:
        """Commits on leaving, rolls back on an exception. Without an organization no tenant's row can be seen."""
        async with self._engine.begin() as connection:
            if organization_id is not None:
                await connection.execute(SET_TENANT, {"organization_id": organization_id})
            yield connection

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set by every notification on `channel`, and when the connection that listens is lost."""
        notified = asyncio.Event()
        async with self._engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101 - just connected; narrows it for the checker
            driver.add_termination_listener(lambda _connection: notified.set())
            await driver.add_listener(channel, lambda *_: notified.set())
            yield notified
            await connection.invalidate()

    async def answers(self) -> bool:
        """True when a statement comes back."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return True

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()


def is_outage(error: Exception) -> bool:
    """True when the database is away, starting, stopping or full, rather than unhappy with what it was told."""
    if isinstance(error, DBAPIError) and (error.connection_invalidated or isinstance(error, InterfaceError)):
        return True
    sqlstate = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return sqlstate.startswith(AWAY) or isinstance(error, OSError | PoolTimeout | asyncpg.InterfaceError)


async def per_request(request: Request, caller: Identified) -> AsyncIterator[AsyncConnection]:
    """One transaction a request, in the caller's organization, committed before the response leaves."""
    database: Database = request.app.state.database
    async with database.transaction(caller.organization_id) as connection:
        yield connection


Transaction = Annotated[AsyncConnection, Depends(per_request, scope="function")]
