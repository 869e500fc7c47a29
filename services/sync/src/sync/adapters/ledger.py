"""Where it is written how many requests each account has used: for this process alone, or for all of them."""

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from sync.domain.allowance import Allowance, Grant, Urgency

# Counts need not survive a crash of the database: no write waits for its disk.
_LOCK = text("""
    SELECT set_config('synchronous_commit', 'off', true), spent, not_before,
        CAST(extract(epoch FROM clock_timestamp()) AS double precision) AS now
    FROM allowances WHERE account = :account FOR UPDATE
""")
_OPEN = text("INSERT INTO allowances (account) VALUES (:account) ON CONFLICT DO NOTHING")
_KEEP = text("""
    UPDATE allowances SET spent = CAST(:spent AS jsonb), not_before = :not_before WHERE account = :account
""")


class Ledger(Protocol):
    """Accounts are named by a digest of their key."""

    async def take(self, account: bytes, waiting: Sequence[Urgency], limit: int) -> Grant:
        """Count requests of those who wait, the most urgent first, as far as the account's limit allows."""

    async def pause(self, account: bytes, seconds: float) -> None:
        """Let nobody go before that."""


class OwnLedger:
    """For a process that is the only one to use its keys, as in tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._allowances: dict[bytes, Allowance] = {}

    async def take(self, account: bytes, waiting: Sequence[Urgency], limit: int) -> Grant:
        self._allowances[account], grant = self._of(account).take(self._clock(), waiting, limit)
        return grant

    async def pause(self, account: bytes, seconds: float) -> None:
        self._allowances[account] = self._of(account).pause(self._clock(), seconds)

    def _of(self, account: bytes) -> Allowance:
        return self._allowances.get(account, Allowance())


class SharedLedger:
    """One row per account in PostgreSQL, by whose clock all processes count."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, account: bytes, waiting: Sequence[Urgency], limit: int) -> Grant:
        async with self._locked(account) as (connection, allowance, now):
            after, grant = allowance.take(now, waiting, limit)
            if grant.granted:
                await _keep(connection, account, after)
        return grant

    async def pause(self, account: bytes, seconds: float) -> None:
        async with self._locked(account) as (connection, allowance, now):
            await _keep(connection, account, allowance.pause(now, seconds))

    @asynccontextmanager
    async def _locked(self, account: bytes) -> AsyncIterator[tuple[AsyncConnection, Allowance, float]]:
        async with self._database.transaction() as connection:
            row = (await connection.execute(_LOCK, {"account": account})).one_or_none()
            if row is None:
                await connection.execute(_OPEN, {"account": account})
                row = (await connection.execute(_LOCK, {"account": account})).one()
            spent = {int(second): count for second, count in row.spent.items()}
            yield connection, Allowance(spent, row.not_before), row.now


async def _keep(connection: AsyncConnection, account: bytes, allowance: Allowance) -> None:
    values = {"spent": json.dumps(allowance.spent), "not_before": allowance.not_before}
    await connection.execute(_KEEP, {"account": account, **values})
