"""One run in a worker's hand, from the key to its end."""

from uuid import UUID

import structlog

from chassis import tracing
from chassis.logs import describe
from sync import handlers
from sync.adapters.accounts import Accounts
from sync.adapters.connections import Connection
from sync.adapters.store import Store, Transactions
from sync.adapters.vault import Unreadable, Vault
from sync.domain.allowance import Urgency
from sync.domain.clinic import ClinikoError, CredentialsRefused
from sync.domain.run import Run
from sync.handlers.hold import TakenOver
from sync.handlers.pull import Pull

log = structlog.get_logger()

MOST_ATTEMPTS = 5


class Pulling:
    """What a worker does with each run it has claimed."""

    def __init__(self, worker_id: UUID, transactions: Transactions, accounts: Accounts, vault: Vault) -> None:
        self._worker_id = worker_id
        self._transactions = transactions
        self._accounts = accounts
        self._vault = vault

    async def one(self, organization_id: str, sync_id: str) -> None:
        """Pull, and note how it went; what was interrupted is tried again once the lease has run out."""
        structlog.contextvars.bind_contextvars(organization_id=organization_id, sync_id=sync_id)
        try:
            await self._pull(organization_id, sync_id)
        except TakenOver:
            log.warning("run cancelled or taken over")
        except Exception as error:
            log.error("run interrupted", **describe(error))

    async def _pull(self, organization_id: str, sync_id: str) -> None:
        async with self._transactions(organization_id) as store:
            run = await store.runs.get(sync_id)
            if run is None:
                raise TakenOver
            with tracing.span("take up run", parent=run.traceparent):
                if run.landed_at is not None:
                    await handlers.stop_waiting(run, store)
                    return
                connection = await store.connections.current()
                if hindrance := _hindrance(run, connection):
                    await handlers.fail(sync_id, hindrance, store)
                    return
        if connection and connection.api_key:
            with tracing.span(f"run {run.mode}", parent=run.traceparent) as span:
                await self._pull_with(connection.api_key, connection.key_number, run, span)

    async def _pull_with(self, sealed_key: bytes, key_number: int, run: Run, span: tracing.Span) -> None:
        failure: ClinikoError | Unreadable | None = None
        try:
            api_key = self._vault.open(sealed_key, run.organization_id)
            clinic = self._accounts.open(api_key, Urgency.SCHEDULED if run.scheduled else Urgency.REQUESTED)
            await Pull(run, self._worker_id, clinic, self._transactions).everything()
        except (ClinikoError, Unreadable) as error:
            log.warning("run failed", **describe(error))
            span.fail(type(error).__name__)
            failure = error
        async with self._transactions(run.organization_id) as store:
            await self._note(failure, key_number, run, store)

    async def _note(self, failure: ClinikoError | Unreadable | None, key_number: int, run: Run, store: Store) -> None:
        """Raises TakenOver when another worker has the run by now: its failure is not ours to tell."""
        if failure:
            if not await store.runs.held(run.sync_id, self._worker_id):
                raise TakenOver
            await handlers.fail(run.sync_id, failure.text, store)
        if failure is None or isinstance(failure, CredentialsRefused):
            await handlers.judge(key_number, run.request_id, store, valid=failure is None)


def _hindrance(run: Run, connection: Connection | None) -> str | None:
    if connection is None or connection.api_key is None:
        return "Cliniko was disconnected."
    return "The run was interrupted too often." if run.attempts > MOST_ATTEMPTS else None
