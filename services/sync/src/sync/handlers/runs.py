"""Start a run, tell of it, and close it when everything is applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis.errors import Conflict, NotFound
from chassis.identity import Caller
from contracts.events import SyncMode, SyncRunChanged
from contracts.routes import confirmed_by
from sync.adapters.landing import Expected
from sync.adapters.store import Store
from sync.domain.run import Run, announcement, estimated_completion, is_sync_id, new_sync_id
from sync.handlers.endings import fail, plan_next

NOT_CONNECTED = "Cliniko is not connected. Connect it first: PUT /api/v1/cliniko/connection/{organization_id}."


@dataclass(frozen=True)
class Progress:
    """A run, and when it should be through."""

    run: Run
    estimated_completion: datetime | None


async def start_sync(
    mode: SyncMode,
    caller: Caller | None,
    store: Store,
    *,
    scheduled: bool = False,
    confirm_removals: bool = False,
) -> tuple[Run, bool]:
    """Queue a run; with one active already, that one and False. Raises Conflict without a connection.

    `caller` is None when the schedule starts it.
    An incremental run needs one that read everything before it, and is a comprehensive one until then.
    """
    connection = await store.connections.current()
    if connection is None or connection.api_key is None:
        raise Conflict(NOT_CONNECTED)
    if mode == "incremental" and not await store.checkpoints.cursors():
        mode = "comprehensive"
    started_at = store.now
    while (active := await store.runs.active()) is None:
        sync_id = new_sync_id(store.organization_id, started_at)
        if run := await store.runs.queue(sync_id, mode, started_at, caller, scheduled=scheduled):
            if confirm_removals:
                run = await store.runs.change(run.sync_id, confirm_removals=True)
            await store.announce(announcement(run))
            return run, True
        started_at += timedelta(seconds=1)  # the id of this second belongs to a run that is over
    return active, False


async def report_progress(sync_id: str, store: Store) -> Progress:
    """How far a run is. Raises NotFound for another organization's run just as for none."""
    run = await store.runs.get(sync_id) if is_sync_id(sync_id) else None
    if run is None:
        raise NotFound("No such sync.")
    usual = await store.runs.usual_duration(run.mode) if run.active else None
    return Progress(run, estimated_completion(run, store.now, usual))


async def confirm_batches(sync_id: str, batch_ids: Sequence[UUID], consumer: str, store: Store) -> None:
    """Take a consumer's receipts; with the last one the run closes, with the receipts of that it is completed.

    The run's row is locked first, as everywhere: its receipts come one after the other.
    """
    if await store.runs.lock(sync_id) is None:
        return
    settled = await store.landing.confirm(sync_id, batch_ids, consumer)
    if not settled:
        return
    run = await store.runs.count(sync_id, records_confirmed=sum(settled.values()))
    if run.closing_id in settled:
        if run.status == "running":
            await plan_next(await store.runs.change(sync_id, status="completed"), store)
            await store.landing.sweep(sync_id)
    else:
        await _close_when_applied(run, store)


async def close_when_applied(sync_id: str, store: Store) -> None:
    """Announce the end of a run whose pages have all landed and whose batches are all applied.

    The announcement is a batch itself: the run reads as completed here only after patients and analytics have
    committed that it is, so that whoever sees `completed` finds the dashboard saying the same.
    """
    if run := await store.runs.lock(sync_id):
        await _close_when_applied(run, store)


async def _close_when_applied(run: Run, store: Store) -> None:
    """`run` is locked."""
    sync_id = run.sync_id
    if run.status != "running" or run.landed_at is None or run.closing_id is not None:
        return
    if await store.landing.outstanding(sync_id):
        return
    await store.checkpoints.recount(sync_id)
    ended = await store.runs.change(sync_id, completed_at=store.now, revision=run.revision + 1)
    closing = announcement(ended).model_copy(update={"status": "completed"})
    await store.runs.change(sync_id, closing_id=closing.event_id)
    await store.landing.expect(sync_id, [Expected(closing.event_id, 0, confirmed_by(SyncRunChanged))])
    await store.announce(closing)


async def stop_waiting(run: Run, store: Store) -> None:
    """A landed run has had no receipt for too long. Records that did not arrive fail it; its end is announced again."""
    if run.closing_id is None:
        await fail(run.sync_id, "Patients and analytics have not confirmed every record in time.", store)
        return
    await store.landing.sweep(run.sync_id)
    await store.runs.change(run.sync_id, closing_id=None)
    await close_when_applied(run.sync_id, store)
