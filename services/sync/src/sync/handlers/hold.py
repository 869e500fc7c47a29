"""One worker's hold on one run, and what it does with a page while it lasts."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID, uuid4

from chassis import tracing
from chassis.gathering import Gathering
from contracts.events import Batch, RecordsRemoved
from contracts.records import AppointmentRecord
from contracts.routes import confirmed_by
from sync.adapters.checkpoints import Done
from sync.adapters.landing import Expected
from sync.adapters.store import Store, Transactions
from sync.domain.clinic import Clinic
from sync.domain.reading import Reading
from sync.domain.run import Run
from sync.domain.trail import Trail

SECONDS_APART = 0.05
"""Between two transactions that land pages."""

T = TypeVar("T")


class TakenOver(Exception):
    """The run is another worker's by now, or has ended."""


class Hold:
    """Every transaction makes sure first that the run is still this worker's; no other could then change it."""

    def __init__(self, run: Run, worker: UUID, clinic: Clinic, transactions: Transactions) -> None:
        self.run = run
        self.clinic = clinic
        self.done = Done()
        self.doubted: set[str] = set()
        """Paths of lists of which something may be missing, whatever their counts say."""
        self.trails: dict[str, Trail] = defaultdict(Trail)
        """Of each list whose rows lead to another, by its path."""
        self._worker = worker
        self._transactions = transactions
        self._landing = Gathering(self._land, apart=SECONDS_APART)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Store]:
        """Raises TakenOver."""
        async with self._transactions(self.run.organization_id) as store:
            if not await store.runs.held(self.run.sync_id, self._worker):
                raise TakenOver
            yield store

    async def land(self, reading: Reading, *, counted: bool = True) -> int:
        """Keep a page: its records, its checkpoint and its event commit together. Returns how many records go out."""
        return await self._landing.join((reading, counted and reading.walk.kind.counted is not None))

    async def _land(self, pages: Sequence[tuple[Reading, bool]]) -> list[int]:
        """The pages that wait, in one transaction."""
        with tracing.span("land pages", count=len(pages)):
            return await self._land_together(pages)

    async def _land_together(self, pages: Sequence[tuple[Reading, bool]]) -> list[int]:
        batches, sent = [], []
        async with self.transaction() as store:
            for reading, counted in pages:
                kind, batch_id = reading.walk.kind, uuid4()
                changed = await store.landing.land(kind.name, batch_id, reading.mapped, store.now)
                await store.checkpoints.check(self.run.sync_id, reading, len(changed), counted=counted)
                sent.append(len(changed))
                if changed:
                    batch = self._batch(kind.event, batch_id, {"records": changed}, store)
                    batches.append((batch, len(changed) if counted else 0))
            batches += [(batch, 0) for batch in await self._released([reading for reading, _ in pages], store)]
            if batches:
                await self._send(batches, store)
        return sent

    async def _released(self, readings: Sequence[Reading], store: Store) -> list[Batch]:
        """The news of appointments that have become an erased patient's, whoever had them before."""
        landed = ((reading.walk.kind.name, one.record) for reading in readings for one in reading.mapped)
        records = [(kind, record) for kind, record in landed if isinstance(record, AppointmentRecord)]
        batch_id = uuid4()
        gone = await store.landing.release(batch_id, records) if records else []
        removed = [{"cliniko_id": state.cliniko_id, "sequence": state.sequence} for state in gone]
        return [self._batch(RecordsRemoved, batch_id, {"appointments": removed}, store)] if removed else []

    async def send(self, event: type[Batch], batch_id: UUID, content: dict[str, Sequence[Any]], store: Store) -> None:
        """Announce a batch of records that the run's count leaves out."""
        await self._send([(self._batch(event, batch_id, content, store), 0)], store)

    def _batch(self, event: type[Batch], batch_id: UUID, content: dict[str, Sequence[Any]], store: Store) -> Batch:
        run = self.run
        common = {"event_id": batch_id, "organization_id": run.organization_id, "request_id": run.request_id}
        return event.model_validate({**common, "occurred_at": store.now, "sync_id": run.sync_id, **content})

    async def _send(self, batches: Sequence[tuple[Batch, int]], store: Store) -> None:
        """Announce batches, and expect a receipt of each who confirms one for so many records of the run's count."""
        expected = [Expected(batch.event_id, records, confirmed_by(type(batch))) for batch, records in batches]
        await store.landing.expect(self.run.sync_id, expected)
        await store.announce(*(batch for batch, _ in batches))


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order; the first failure ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
