"""Bring one clinic's records in: every page of every list the run's mode asks for, each landed in a transaction.

A page's records, its checkpoint and its event commit together, so a run that is taken over goes on with the pages that
are missing. Every transaction makes sure first that the run is still this worker's.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from math import ceil
from typing import Any, TypeVar
from uuid import UUID, uuid4

import structlog

from contracts.routes import confirmed_by
from sync.adapters.store import Store, Transactions
from sync.domain.clinic import PAGE_SIZE, Clinic, Page, PermissionDenied
from sync.domain.mapping import map_page
from sync.domain.plan import APPOINTMENTS, PATIENT_WALK, PATIENTS, REFERENCE_WALKS, Walk, appointment_walks
from sync.domain.run import Run, announcement
from sync.handlers.runs import close_when_applied

log = structlog.get_logger()

T = TypeVar("T")

PAGES_AT_ONCE = 4
COUNTED = {PATIENTS.name: "patients_landed", APPOINTMENTS.name: "appointments_landed"}
"""The run's counter for each kind; reference data is not counted."""


class TakenOver(Exception):
    """The run is another worker's by now, or has ended."""


class Pages:
    """Which pages of a list are still to be read, as far as the newest answers tell."""

    def __init__(self, first: Page) -> None:
        self._taken = 1
        self.last = ceil(first.total / PAGE_SIZE) if first.rows else 0

    def next(self) -> int | None:
        """A page that nobody reads yet; None at the end."""
        if self._taken >= self.last:
            return None
        self._taken += 1
        return self._taken

    def learn(self, number: int, page: Page) -> None:
        """An empty page ends the list, whatever its total says."""
        self.last = ceil(page.total / PAGE_SIZE) if page.rows else min(self.last, number)


class Pull:
    """One worker's work on one run."""

    def __init__(self, run: Run, worker: UUID, clinic: Clinic, transactions: Transactions) -> None:
        self._run = run
        self._worker = worker
        self._clinic = clinic
        self._transactions = transactions
        self._landed: set[tuple[str, int]] = set()

    async def everything(self) -> None:
        """The four steps. Raises a ClinikoError, or TakenOver."""
        walks = ((), REFERENCE_WALKS, (PATIENT_WALK,), appointment_walks(self._run.mode, self._run.started_at))
        await self._connect()
        for step, of_step in enumerate(walks):
            await self._begin_step(step)
            await together(self._walk(walk) for walk in of_step)
        async with self._transactions(self._run.organization_id) as store:
            await self._hold(store)
            await store.runs.change(self._run.sync_id, landed_at=store.now, completed_steps=len(walks))
            await close_when_applied(self._run.sync_id, store)

    async def _connect(self) -> None:
        await self._clinic.check()
        async with self._transactions(self._run.organization_id) as store:
            self._landed = await store.landing.landed_pages(self._run.sync_id)
        if self._run.records_total is None:
            await self._measure()

    async def _measure(self) -> None:
        """Ask Cliniko how many records there are: the total of the run, and how many patients are not archived."""
        counted = (PATIENT_WALK, *appointment_walks(self._run.mode, self._run.started_at))
        lists = ((PATIENT_WALK.path, ()), *((walk.path, walk.filters) for walk in counted))
        listed, *totals = await together(self._clinic.page(*one, 1, size=1) for one in lists)
        async with self._transactions(self._run.organization_id) as store:
            await self._hold(store)
            total = sum(page.total for page in totals)
            await store.runs.change(self._run.sync_id, records_total=total, patients_reported=listed.total)

    async def _begin_step(self, step: int) -> None:
        async with self._transactions(self._run.organization_id) as store:
            await self._hold(store)
            run = await store.runs.change(self._run.sync_id, completed_steps=max(step, self._run.completed_steps))
            if step == 0:
                await store.announce(announcement(run))

    async def _walk(self, walk: Walk) -> None:
        """Land every page of a list, a few at once; the list may grow or shrink while it is walked."""
        pages = Pages(await self._page(walk, 1))

        async def take() -> None:
            while (number := pages.next()) is not None:
                if (walk.path, number) not in self._landed:
                    pages.learn(number, await self._page(walk, number))

        await together(take() for _ in range(min(PAGES_AT_ONCE, pages.last - 1)))

    async def _page(self, walk: Walk, number: int) -> Page:
        """Fetch and land one page. A list of reference data that the key may not read is as good as empty."""
        try:
            page = await self._clinic.page(walk.path, walk.filters, number)
        except PermissionDenied:
            if walk not in REFERENCE_WALKS:
                raise
            log.warning("list not readable with this key", resource=walk.path, sync_id=self._run.sync_id)
            return Page((), 0)
        if page.rows:
            async with self._transactions(self._run.organization_id) as store:
                await self._hold(store)
                await self._land(walk, number, page, store)
        return page

    async def _land(self, walk: Walk, number: int, page: Page, store: Store) -> None:
        sync_id, kind, batch_id = self._run.sync_id, walk.kind, uuid4()
        mapped, rejected = map_page(page.rows, kind.read)
        changed = await store.landing.land(kind.name, batch_id, mapped)
        await store.landing.accept(kind.name, mapped)
        if rejected:
            await store.landing.keep_aside(sync_id, kind.name, rejected)
        if changed:
            await self._send(walk, batch_id, changed, store)
        counted = {"rows": len(page.rows), "mapped": len(mapped), "rejected": len(rejected)}
        more_mapped, more_rejected = await store.landing.check_page(sync_id, walk.path, number, **counted)
        if counter := COUNTED.get(kind.name):
            settled = more_mapped + more_rejected - len(changed)
            counts = {counter: more_mapped, "records_rejected": more_rejected, "records_confirmed": settled}
            await store.runs.count(sync_id, **counts)

    async def _send(self, walk: Walk, batch_id: UUID, changed: Sequence[dict[str, object]], store: Store) -> None:
        event = walk.kind.event.model_validate(
            {
                "event_id": batch_id,
                "organization_id": self._run.organization_id,
                "request_id": self._run.request_id,
                "occurred_at": store.now,
                "sync_id": self._run.sync_id,
                "records": changed,
            }
        )
        counted = len(changed) if walk.kind.name in COUNTED else 0
        await store.landing.expect(self._run.sync_id, batch_id, counted, confirmed_by(walk.kind.event))
        await store.announce(event)

    async def _hold(self, store: Store) -> None:
        if not await store.runs.held(self._run.sync_id, self._worker):
            raise TakenOver


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order; the first failure ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
