"""Bring one clinic's records in, by the way that the run's mode asks for.

A page's records, its checkpoint and its event commit together, so a run that is taken over goes on with the pages that
are missing.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sync.adapters.store import Transactions
from sync.domain.clinic import Clinic
from sync.domain.plan import (
    ATTENDEE_WALK,
    ATTENDEES_CHANGED,
    GROUP_WALK,
    HEALED,
    OVERLAP,
    PATIENT_WALK,
    REFERENCE_WALKS,
    STREAMS,
    Stream,
    Walk,
    appointment_walks,
    cursors_after,
)
from sync.domain.run import STEPS, Run, announcement
from sync.domain.trail import Trail
from sync.handlers.again import reread_rejected, resend_unconfirmed
from sync.handlers.follow import LONG_AGO, Following
from sync.handlers.hold import Hold, TakenOver, together
from sync.handlers.remove import remove_erased
from sync.handlers.runs import close_when_applied
from sync.handlers.walk import walk_whole

__all__ = ["Pull", "TakenOver"]

LEADING = {Stream(walk).cursor: walk.path for walk in (GROUP_WALK, ATTENDEE_WALK)}
"""The cursors of the lists whose rows lead to another."""


class Pull:
    """One worker's work on one run."""

    def __init__(self, run: Run, worker: UUID, clinic: Clinic, transactions: Transactions) -> None:
        self._hold = Hold(run, worker, clinic, transactions)
        self._run = run

    async def everything(self) -> None:
        """Raises a ClinikoError, or TakenOver."""
        async with self._hold.transaction() as store:
            self._hold.done = await store.checkpoints.done(self._run.sync_id)
        if self._run.mode == "incremental":
            followed = await self._changes()
        else:
            followed = await self._lists()
        await self._finish(followed)

    async def _lists(self) -> dict[str, str]:
        """The four steps of a run that reads whole lists. Returns the cursors it may move."""
        await self._begin_step(0)
        await self._hold.clinic.check()
        await self._measure()
        await resend_unconfirmed(self._hold)
        walks = (PATIENT_WALK, *appointment_walks(self._run.mode, self._run.started_at))
        await self._begin_step(1)
        await together(walk_whole(walk, self._hold) for walk in REFERENCE_WALKS)
        await self._begin_step(2)
        complete = await self._walk((PATIENT_WALK,))
        counts = bool(complete)
        await self._begin_step(3)
        complete += await self._walk(walks[1:])
        if self._run.mode == "comprehensive":
            await self._follow(HEALED, dict.fromkeys((one.cursor for one in HEALED), self._source_time), counted=False)
            await self._settle(complete)
        await self._count_patients(believed=counts)
        return cursors_after(walks)

    async def _walk(self, walks: Sequence[Walk]) -> list[Walk]:
        """Returns those that were read whole."""
        agreed = [await walk_whole(walk, self._hold) for walk in walks]
        return [walk for walk, whole in zip(walks, agreed, strict=True) if whole]

    async def _settle(self, complete: Sequence[Walk]) -> None:
        """What only a run that has read every record can tell."""
        await remove_erased(complete, self._hold)
        async with self._hold.transaction() as store:
            kinds = [walk.kind.name for walk in complete]
            await store.checkpoints.forget_rejected(self._run.sync_id, kinds)

    async def _changes(self) -> dict[str, str]:
        """What changed since the cursors; reference data only where something did, for it is seldom alone."""
        await self._begin_step(0)
        await resend_unconfirmed(self._hold)
        async with self._hold.transaction() as store:
            cursors = await store.checkpoints.cursors()
        for name, path in LEADING.items():
            self._hold.trails[path] = Trail(cursors[name].shown if name in cursors else ())
        # Where Cliniko's clock has been set back, what changes now is older than what was seen last.
        starts = {name: min(cursor.moment, self._run.started_at) for name, cursor in cursors.items()}
        groups = Stream(GROUP_WALK).cursor in cursors
        streams = [stream for stream in STREAMS if groups or stream is not ATTENDEES_CHANGED]
        following = await self._follow(streams, starts, counted=True)
        await reread_rejected(self._hold)
        if any(one.changed for one in following):
            await together(walk_whole(walk, self._hold) for walk in REFERENCE_WALKS)
        if any(one.changed for one in following if one.stream.walk is PATIENT_WALK):
            await self._count_patients(believed=True)
        return {one.stream.cursor: one.walk.checkpoint for one in following}

    async def _follow(
        self, streams: Sequence[Stream], cursors: dict[str, datetime], *, counted: bool
    ) -> list[Following]:
        """Follow all streams at once, each from a little before its cursor."""
        starts = [cursors.get(stream.cursor, LONG_AGO + OVERLAP) - OVERLAP for stream in streams]
        following = [
            Following(stream, start, self._hold, counted=counted) for stream, start in zip(streams, starts, strict=True)
        ]
        pages = await together(one.first() for one in following)
        if counted and self._run.records_total is None:
            await self._note_beginning(min(page.answered_at for page in pages), sum(page.total for page in pages))
        await together(one.to_the_end(page) for one, page in zip(following, pages, strict=True))
        return following

    async def _measure(self) -> None:
        """Ask Cliniko how many records there are. How many attend groups shows only when the groups are read."""
        if self._run.records_total is not None:
            return
        walks = (PATIENT_WALK, *appointment_walks(self._run.mode, self._run.started_at))
        counted = (walk for walk in walks if walk.leads_to is None)
        counts = await together(self._hold.clinic.page(walk.path, walk.filters, 1, size=1) for walk in counted)
        await self._note_beginning(min(page.answered_at for page in counts), sum(page.total for page in counts))

    async def _note_beginning(self, source_time: datetime, total: int) -> None:
        async with self._hold.transaction() as store:
            columns = {"records_total": total, "source_time": source_time}
            self._hold.run = await store.runs.change(self._run.sync_id, **columns)

    async def _count_patients(self, *, believed: bool) -> None:
        """How many patients are not archived: as Cliniko says at the end of the run, unless it has just miscounted."""
        reported = (await self._hold.clinic.page(PATIENT_WALK.path, (), 1, size=1)).total if believed else None
        async with self._hold.transaction() as store:
            if reported is None:
                reported = await store.holdings.listed_patients()
            await store.runs.change(self._run.sync_id, patients_reported=reported)

    @property
    def _source_time(self) -> datetime:
        return self._hold.run.source_time or self._run.started_at

    async def _begin_step(self, step: int) -> None:
        async with self._hold.transaction() as store:
            run = await store.runs.change(self._run.sync_id, completed_steps=max(step, self._run.completed_steps))
            if step == 0:
                await store.announce(announcement(run))

    async def _finish(self, followed: dict[str, str]) -> None:
        async with self._hold.transaction() as store:
            shown = {cursor: self._hold.trails[path].kept for cursor, path in LEADING.items()}
            await store.checkpoints.advance(self._run.sync_id, followed, self._source_time, shown)
            await store.runs.change(self._run.sync_id, landed_at=store.now, completed_steps=len(STEPS))
            await close_when_applied(self._run.sync_id, store)
