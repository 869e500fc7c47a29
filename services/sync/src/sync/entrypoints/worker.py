"""Runs come in through the table: a worker claims what is queued, and what another worker left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from chassis.database import Database
from chassis.logs import describe
from chassis.tasks import keep_doing
from sync import handlers
from sync.adapters.accounts import Accounts
from sync.adapters.runs import claim, release
from sync.adapters.store import Transactions
from sync.adapters.vault import Vault
from sync.domain.allowance import Urgency
from sync.domain.clinic import ClinikoError, CredentialsRefused
from sync.domain.run import Run
from sync.entrypoints.transactions import transactions_of
from sync.handlers.pull import Pull, TakenOver

log = structlog.get_logger()

RUNS_AT_ONCE = 4
POLL_SECONDS = 5.0
BEAT_SECONDS = 15.0
MOST_ATTEMPTS = 5


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
        async with self._database.listening("sync_runs") as notifications, asyncio.TaskGroup() as runs:
            hands: set[asyncio.Task[None]] = set()

            def freed(task: asyncio.Task[None]) -> None:
                hands.discard(task)
                notifications.heard.set()

            while not notifications.lost:
                while len(hands) < RUNS_AT_ONCE and (claim := await self._claim()):
                    task = runs.create_task(self._one(*claim))
                    hands.add(task)
                    task.add_done_callback(freed)
                await notifications.wait(POLL_SECONDS)
            for task in hands:
                task.cancel()

    async def _claim(self) -> tuple[str, str] | None:
        async with self._database.transaction() as connection:
            return await claim(connection, self._id)

    async def _release(self) -> None:
        async with self._database.transaction() as connection:
            await release(connection, self._id)

    async def _one(self, organization_id: str, sync_id: str) -> None:
        structlog.contextvars.bind_contextvars(organization_id=organization_id, sync_id=sync_id)
        try:
            async with self._beating(organization_id, sync_id):
                await self._pull(organization_id, sync_id)
        except TakenOver:
            log.warning("run taken over")
        except Exception as error:  # the lease runs out, and the run is tried again
            log.error("run interrupted", **describe(error))

    async def _pull(self, organization_id: str, sync_id: str) -> None:
        async with self._transactions(organization_id) as store:
            run = await store.runs.get(sync_id)
            connection = await store.connections.current()
            sealed_key = connection.api_key if connection else None
            if run is None:
                raise TakenOver
            if run.landed_at is not None:
                await handlers.stop_waiting(run, store)
                return
            if sealed_key is None or run.attempts > MOST_ATTEMPTS:
                reason = "Cliniko was disconnected." if sealed_key is None else "The run was interrupted too often."
                await handlers.fail(sync_id, reason, store)
                return
        await self._pull_with(sealed_key, run)

    async def _pull_with(self, sealed_key: bytes, run: Run) -> None:
        api_key, failure = self._vault.open(sealed_key, run.organization_id), None
        urgency = Urgency.SCHEDULED if run.mode == "incremental" else Urgency.REQUESTED
        try:
            await Pull(run, self._id, self._accounts.open(api_key, urgency), self._transactions).everything()
        except ClinikoError as error:
            log.warning("run failed", **describe(error))
            failure = error
        async with self._transactions(run.organization_id) as store:
            if failure and not await store.runs.held(run.sync_id, self._id):
                raise TakenOver
            if failure:
                await handlers.fail(run.sync_id, failure.text, store)
            if failure is None or isinstance(failure, CredentialsRefused):
                await handlers.judge(sealed_key, run.request_id, store, valid=failure is None)

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
