"""How a run ends other than well, and when the clinic's next one is due after any end."""

from chassis.errors import Conflict, NotFound
from chassis.identity import Caller
from contracts.events import RunStatus
from sync.adapters.store import Store
from sync.domain.run import Run, announcement, is_sync_id
from sync.domain.schedule import DAY, HOUR, back_off, next_due


async def fail(sync_id: str, reason: str, store: Store) -> None:
    """End an active run with a reason for people."""
    run = await store.runs.lock(sync_id)
    if run and run.active:
        await _end(run, "failed", reason, store)


async def cancel(sync_id: str, caller: Caller, store: Store) -> Run:
    """End an active run because a person wants it; its worker stops before it lands another page.

    What has landed stays, and is sent on; the next run takes care of what was not confirmed. Saying it twice changes
    nothing. Raises NotFound, or Conflict for a run that is over or whose end is announced already.
    """
    run = await store.runs.lock(sync_id) if is_sync_id(sync_id) else None
    if run is None:
        raise NotFound("No such sync.")
    if run.status == "cancelled":
        return run
    if not run.active or run.closing_id is not None:
        raise Conflict(
            "This sync has brought in everything already and cannot be cancelled."
            if run.status != "failed"
            else "This sync has failed already."
        )
    ended = await _end(run, "cancelled", "Cancelled on request.", store, caller)
    await store.runs.wake_workers()
    return ended


async def plan_next(run: Run, store: Store) -> None:
    """Say when the schedule has the next word on this clinic.

    Any run that did not fail stands for the hourly one, an entire one for the daily one too. Only a scheduled run's
    failure holds the clinic back: a person who tries again and again does no harm.
    """
    if run.status == "failed":
        plan = await store.schedule.plan() if run.scheduled else None
        if plan:
            failures = plan.failures + 1
            await store.schedule.hold_back(failures, store.now + back_off(failures))
        return
    hourly = next_due(run.organization_id, store.now, HOUR)
    daily = next_due(run.organization_id, store.now, DAY) if run.mode == "comprehensive" else None
    await store.schedule.move_on(hourly, daily, run.completed_at if run.status == "completed" else None)


async def _end(run: Run, status: RunStatus, reason: str, store: Store, by: Caller | None = None) -> Run:
    ended = await store.runs.change(
        run.sync_id, status=status, failure=reason, completed_at=store.now, revision=run.revision + 1
    )
    await store.landing.distrust(run.sync_id)
    await store.landing.sweep(run.sync_id)
    await store.announce(announcement(ended).model_copy(update=_who_cancelled(by)))
    await plan_next(ended, store)
    return ended


def _who_cancelled(by: Caller | None) -> dict[str, str | None]:
    return {"cancelled_by": by.user_id, "cancelled_by_impersonator": by.impersonator} if by else {}
