"""The service's own schema, and the transaction every request and message gets."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Annotated, Any, cast

import asyncpg
from fastapi import Depends, Request
from prometheus_client import Histogram
from sqlalchemy import ClauseElement, event, text
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.compiler import SQLCompiler

from chassis.identity import Caller, Identified, identify, own_organization
from chassis.tasks import set_within

LAST_STATEMENTS = "last statements"
"""Under this name a transaction's connection has those it sends together with COMMIT, in one round trip."""
BESIDE = 4
"""Connections of those who listen or ask for a sign of life."""
STATEMENT_SECONDS = 30
"""After which a statement is given up: the network may be gone without a word."""
TRUSTED_SECONDS = 1.0
"""For so long after its last use a connection is taken to be alive unless it is known to be closed."""
WAIT_SECONDS = 10.0
"""For so long a transaction waits for its turn while all connections are at work."""
WAITED = Histogram(
    "routiq_database_wait_seconds",
    "Until a transaction had a connection.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10),
)
SET_TENANT = text("SELECT set_config('routiq.organization_id', :organization_id, true)")
"""Row-level security shows a transaction this organization's rows; without it, none."""


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
        await set_within(self.heard, seconds)
        self.heard.clear()


class Database:
    """Connections of one service to its schema; errors never quote parameters.

    So many transactions as there are `connections` go on at once; the others have theirs in the order they came, where
    SQLAlchemy's pool would let who comes last pass those who wait. Listeners and probes have connections beside them.
    """

    def __init__(self, url: str, schema: str, *, connections: int = 16) -> None:
        self.schema = schema
        self.announced = asyncio.Event()
        """Set whenever a transaction with last statements has committed; who waits for it clears it."""
        self._turns = asyncio.Semaphore(connections)
        self._engine = create_async_engine(
            engine_url(url),
            isolation_level="AUTOCOMMIT",  # `transaction` itself says BEGIN and COMMIT
            pool_size=connections,
            max_overflow=BESIDE,
            pool_timeout=WAIT_SECONDS,
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
        async with self._turn(), self._engine.connect() as connection:
            WAITED.observe(time.perf_counter() - asked)
            driver, last = _driver(connection), list[str]()
            try:
                await driver.execute(_begin(organization_id))
                connection.info[LAST_STATEMENTS] = last
                yield connection
                if await driver.execute(";".join([*last, "COMMIT"])) != "COMMIT":
                    raise asyncpg.InFailedSQLTransactionError("A statement failed, and nobody said so.")
            except BaseException as error:
                await _roll_back(connection, driver, error)
                raise
        if last:
            self.announced.set()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise PoolTimeout("all connections are at work") from None
        try:
            yield
        finally:
            self._turns.release()

    @asynccontextmanager
    async def listening(self, channel: str, *, holding: int | None = None) -> AsyncIterator["Notifications"]:
        """Hear every notification on `channel`, over a connection of its own that is not used again.

        The advisory lock `holding` is held as long: whoever finds it free knows that the listener is gone.
        """
        notifications = Notifications()
        async with self._engine.connect() as connection:
            driver = _driver(connection)
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
        """How many are in use, those of listeners and probes too, and how many transactions may go on at once."""
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


@lru_cache(maxsize=4096)
def _begin(organization_id: str | None) -> str:
    """BEGIN and the tenant in one round trip, which takes no parameters: in hex, no name can be anything but a name."""
    if organization_id is None:
        return "BEGIN"
    name = "".join(f"\\+{ord(character):06x}" for character in organization_id)
    return f"BEGIN; SET LOCAL routiq.organization_id = U&'{name}'"  # nothing to plan, unlike set_config


async def fetch(
    connection: AsyncConnection, statement: ClauseElement, parameters: Mapping[str, Any]
) -> list[asyncpg.Record]:
    """The rows of a statement that is made once and asked often, straight from the driver.

    What SQLAlchemy does around a statement was a tenth of the time of a dashboard.
    """
    sql, names, literals = _compiled(statement, connection.dialect)
    given = {**literals, **parameters}
    found: list[asyncpg.Record] = await _driver(connection).fetch(sql, *(given[name] for name in names))
    return found


@lru_cache(maxsize=256)
def _compiled(statement: ClauseElement, dialect: Dialect) -> tuple[str, Sequence[str], Mapping[str, Any]]:
    """As the driver reads it, its parameters' names in their order, and the values that stand in the statement."""
    compiled = cast(SQLCompiler, statement.compile(dialect=dialect))
    literals = {name: value for name, value in compiled.params.items() if value is not None}
    return compiled.string, compiled.positiontup or (), literals


def _driver(connection: AsyncConnection) -> Any:
    """The asyncpg connection below."""
    assert connection.sync_connection is not None  # noqa: S101 - it was started; narrows it for the checker
    return connection.sync_connection.connection.driver_connection


async def _roll_back(connection: AsyncConnection, driver: Any, error: BaseException) -> None:
    """Nothing of the transaction stays. A connection that cannot promise it, or was cancelled at work, is given up."""
    if isinstance(error, Exception):
        with suppress(Exception):
            await driver.execute("ROLLBACK")
            return
    await connection.invalidate()


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


@asynccontextmanager
async def own_request(request: Request, organization_id: str) -> AsyncIterator[tuple[Caller, AsyncConnection]]:
    """Who asks about their own organization, and the transaction of the request.

    For routes that are asked often: FastAPI solves whatever a dependency needs again at each place it is named.
    """
    caller = await identify(request)
    await own_organization(organization_id, caller)
    async with request.app.state.database.transaction(organization_id) as connection:
        yield caller, connection


Transaction = Annotated[AsyncConnection, Depends(per_request, scope="function")]
