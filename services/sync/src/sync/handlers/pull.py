"""Bring one clinic's records in: every page of every list the run's mode asks for, each landed in a transaction.

A page's records, its checkpoint and its event commit together, so a run that is taken over goes on with the pages that
are missing. Every transaction makes sure first that the run is still this worker's.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from math import ceil
from typing import Any, TypeVar
from uuid import UUID

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


class Pull:
    """One worker's work on one run."""

    def __init__(self, run: Run, worker: UUID, clinic: Clinic, transactions: Transactions) -> None:
        self._run = run
        self._worker = worker
        self._clinic = clinic
        self._transactions = transactions
        self._landed: set[tuple[str, int]] = set()
        self._slots = asyncio.Semaphore(PAGES_AT_ONCE)

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
            run = await store.runs.change(self._run.sync_id, completed_steps=step)
            if step == 0:
                await store.announce(announcement(run))

    async def _walk(self, walk: Walk) -> None:
        """Land every page of a list; the list may grow while it is walked."""
        pages, known = 1, 0
        while known < pages:
            totals = await together(self._page(walk, number) for number in range(known + 1, pages + 1))
            known, pages = pages, ceil(max(totals, default=0) / PAGE_SIZE)

    async def _page(self, walk: Walk, number: int) -> int:
        """Fetch and land one page. Returns the list's total, 0 for a page that had landed before it could be known."""
        if number > 1 and (walk.path, number) in self._landed:
            return 0
        async with self._slots:
            try:
                page = await self._clinic.page(walk.path, walk.filters, number)
            except PermissionDenied:
                if walk not in REFERENCE_WALKS:
                    raise
                log.warning("list not readable with this key", resource=walk.path, sync_id=self._run.sync_id)
                return 0
            async with self._transactions(self._run.organization_id) as store:
                await self._hold(store)
                await self._land(walk, number, page, store)
        return page.total

    async def _land(self, walk: Walk, number: int, page: Page, store: Store) -> None:
        if not await store.landing.check_page(self._run.sync_id, walk.path, number):
            return
        kind = walk.kind
        mapped, rejected = map_page(page.rows, kind.read)
        changed = await store.landing.land(kind.name, mapped)
        await store.landing.accept(kind.name, mapped)
        if rejected:
            await store.landing.keep_aside(self._run.sync_id, kind.name, rejected)
        if changed:
            await self._send(walk, changed, store)
        if counter := COUNTED.get(kind.name):
            settled = len(mapped) - len(changed) + len(rejected)
            counts = {counter: len(mapped), "records_rejected": len(rejected), "records_confirmed": settled}
            await store.runs.count(self._run.sync_id, **counts)

    async def _send(self, walk: Walk, changed: Sequence[dict[str, object]], store: Store) -> None:
        event = walk.kind.event.model_validate(
            {
                "organization_id": self._run.organization_id,
                "request_id": self._run.request_id,
                "occurred_at": store.now,
                "sync_id": self._run.sync_id,
                "records": changed,
            }
        )
        counted = len(changed) if walk.kind.name in COUNTED else 0
        await store.landing.expect(self._run.sync_id, event.event_id, counted, confirmed_by(walk.kind.event))
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
