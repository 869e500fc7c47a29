"""The schedule's clock: every replica looks for clinics that are due; who claims one first starts its run."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from chassis import tracing
from chassis.database import Database
from chassis.metrics import turned
from sync import handlers
from sync.adapters.replicas import beat, retire
from sync.adapters.schedule import claim_due
from sync.entrypoints import measures
from sync.entrypoints.transactions import Clock, transactions_of, utc_now

log = structlog.get_logger()

TICK_SECONDS = 10.0
AT_ONCE = 50


class Scheduler:
    """Any number may run side by side; `enabled` is the installation's switch, each clinic has its own."""

    def __init__(
        self,
        replica: UUID,
        database: Database,
        key_ids: Sequence[str],
        *,
        enabled: bool = True,
        clock: Clock = utc_now,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._replica = replica
        self._database = database
        self._key_ids = key_ids
        self._enabled = enabled
        self._clock = clock
        self._transactions = transactions_of(database, clock)
        self._tick_seconds = tick_seconds

    async def work(self) -> None:
        """Tick, for ever."""
        try:
            while True:
                await self.tick()
                turned("scheduler", self._tick_seconds)
                await asyncio.sleep(self._tick_seconds)
        finally:
            async with self._database.transaction() as connection:
                await retire(connection, self._replica)

    async def tick(self) -> None:
        """Start what is due, show that this replica lives, and measure how it stands."""
        if self._enabled:
            while len(await self._start_due()) == AT_ONCE:
                pass
        moment = self._clock()
        async with self._database.transaction() as connection:
            await beat(connection, self._replica, moment, scheduling=self._enabled, key_ids=self._key_ids)
            await measures.take(connection, moment)

    async def _start_due(self) -> Sequence[str]:
        async with self._database.transaction() as connection:
            due = await claim_due(connection, self._clock(), AT_ONCE)
        for organization_id in due:
            with tracing.span("scheduled run", organization_id=organization_id):
                async with self._transactions(organization_id) as store:
                    run = await handlers.start_due(store)
            if run:
                log.info("scheduled run", organization_id=organization_id, sync_id=run.sync_id, mode=run.mode)
        return due
