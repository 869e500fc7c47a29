"""Runs come in through the table: a worker claims what is queued, and what another worker left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from chassis.database import Database
from chassis.logs import describe
from chassis.tasks import keep_doing
from sync import handlers
from sync.adapters.accounts import Accounts
from sync.adapters.store import Transactions
from sync.adapters.vault import Vault
from sync.domain.clinic import ClinikoError, CredentialsRefused
from sync.domain.run import Run
from sync.entrypoints.transactions import transactions_of
from sync.handlers.pull import Pull, TakenOver

log = structlog.get_logger()

RUNS_AT_ONCE = 4
POLL_SECONDS = 5.0
BEAT_SECONDS = 15.0
LEASE = timedelta(seconds=60)
"""A run without a beat for this long is taken over."""
PATIENCE = timedelta(minutes=10)
"""How long a run whose pages have landed waits for a further receipt before it fails."""
MOST_ATTEMPTS = 5
_CLAIM = text("SELECT organization_id, sync_id FROM claim_run(:worker, :lease, :patience)")
_RELEASE = text("SELECT release_runs(:worker)")


class Worker:
    """Works on several runs at once; any number of workers may share the table."""

    def __init__(self, worker_id: UUID, database: Database, accounts: Accounts, vault: Vault) -> None:
        """One id for the life of the process: what it lost hold of, say with the database, it may free again."""
        self._database = database
        self._transactions: Transactions = transactions_of(database)
        self._accounts = accounts
        self._vault = vault
        self._id = worker_id

    async def work(self) -> None:
        """Claim and work, for ever; runs that an interruption took out of hand are free for anybody at once."""
        await self._release()
        try:
            await self._claim_and_work()
        finally:
            await self._release()

    async def _claim_and_work(self) -> None:
        async with self._database.listening("sync_runs") as woken, asyncio.TaskGroup() as runs:
            free = RUNS_AT_ONCE

            def freed(_task: asyncio.Task[None]) -> None:
                nonlocal free
                free += 1
                woken.set()

            while True:
                woken.clear()
                while free and (claim := await self._claim()):
                    free -= 1
                    runs.create_task(self._one(*claim)).add_done_callback(freed)
                try:
                    await asyncio.wait_for(woken.wait(), POLL_SECONDS)
                except TimeoutError:
                    continue

    async def _claim(self) -> tuple[str, str] | None:
        async with self._database.transaction() as connection:
            values = {"worker": self._id, "lease": LEASE, "patience": PATIENCE}
            row = (await connection.execute(_CLAIM, values)).one_or_none()
            return (row.organization_id, row.sync_id) if row else None

    async def _release(self) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(_RELEASE, {"worker": self._id})

    async def _one(self, organization_id: str, sync_id: str) -> None:
        structlog.contextvars.bind_contextvars(organization_id=organization_id, sync_id=sync_id)
        try:
            async with self._beating(organization_id, sync_id):
                await self._pull(organization_id, sync_id)
        except TakenOver:
            log.warning("run taken over")
        except ClinikoError as error:
            log.warning("run failed", **describe(error))
            await self._fail(organization_id, sync_id, error)
        except Exception as error:  # the lease runs out, and the run is tried again
            log.error("run interrupted", **describe(error))

    async def _pull(self, organization_id: str, sync_id: str) -> None:
        async with self._transactions(organization_id) as store:
            run = await store.runs.get(sync_id)
            connection = await store.connections.current()
            sealed_key = connection.api_key if connection else None
            if run is None:
                raise TakenOver
            if sealed_key is None or _hopeless(run):
                await handlers.fail(sync_id, _hopeless(run) or "Cliniko was disconnected.", store)
                return
        api_key = self._vault.open(sealed_key, organization_id)
        await Pull(run, self._id, self._accounts.open(api_key), self._transactions).everything()
        async with self._transactions(organization_id) as store:
            await handlers.judge(run.request_id, store, valid=True)

    async def _fail(self, organization_id: str, sync_id: str, error: ClinikoError) -> None:
        async with self._transactions(organization_id) as store:
            await handlers.fail(sync_id, error.text, store)
            if isinstance(error, CredentialsRefused):
                await handlers.judge(None, store, valid=False)

    @asynccontextmanager
    async def _beating(self, organization_id: str, sync_id: str) -> AsyncIterator[None]:
        async def beat() -> None:
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                async with self._transactions(organization_id) as store:
                    await store.runs.held(sync_id, self._id)

        beating = asyncio.create_task(keep_doing("heartbeat", beat))
        try:
            yield
        finally:
            beating.cancel()


def _hopeless(run: Run) -> str | None:
    if run.landed_at is not None:
        return "Patients and analytics have not confirmed every record in time."
    if run.attempts > MOST_ATTEMPTS:
        return "The run was interrupted too often."
    return None
