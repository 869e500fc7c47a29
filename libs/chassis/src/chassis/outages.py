"""Which errors mean that PostgreSQL cannot be reached now, and pass without the caller changing anything."""

import socket

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

AWAY = ("08", "25006", "28", "3D000", "42P01", "53", "57P")
"""PostgreSQL's errors for lost connections, a standby, changed passwords, a database that was not restored yet,
migrations that have not run yet, exhausted resources and shutdown: each passes without the caller changing anything."""

UNREACHABLE = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    PoolTimeout,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver says of a connection that ended between two statements
)


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
