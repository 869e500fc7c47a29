"""Start what is due, pause and resume a clinic's schedule, and tell how it stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chassis.errors import Conflict
from chassis.identity import Caller
from contracts.events import ScheduleChanged, SyncMode
from sync.adapters.schedule import Plan
from sync.adapters.store import Store
from sync.domain.run import Run
from sync.domain.schedule import BEAT_HOLDS
from sync.handlers.runs import NOT_CONNECTED, start_sync

PausedReason = Literal["not_connected", "credentials_refused", "paused_by_administrator"]


@dataclass(frozen=True)
class Standing:
    """An organization's schedule; `paused_reason` is None while runs start by themselves."""

    running: Run | None
    last_completed_at: datetime | None
    paused_reason: PausedReason | None
    next_run_at: datetime | None
    scheduler_beats: bool

    @property
    def scheduler_active(self) -> bool:
        """True only if runs will start by themselves: somebody is there to start them, and nothing holds them."""
        return self.scheduler_beats and self.paused_reason is None


async def start_due(store: Store) -> Run | None:
    """The run that the schedule wants of this clinic now; None when another one came first, or the key has gone."""
    plan, connection = await store.schedule.plan(), await store.connections.current()
    if plan is None or connection is None or connection.api_key is None:
        return None
    mode: SyncMode = "comprehensive" if plan.comprehensive_due <= store.now else "incremental"
    run, started = await start_sync(mode, None, store, scheduled=True)
    return run if started else None


async def start_scheduled(caller: Caller, store: Store) -> tuple[Run, bool]:
    """The scheduler's hourly run, now."""
    return await start_sync("incremental", caller, store)


async def switch_schedule(caller: Caller, store: Store, *, enabled: bool) -> Standing:
    """Pause or resume, and say so. Raises Conflict for an organization that was never connected."""
    if await store.schedule.switch(enabled=enabled) is None:
        raise Conflict(NOT_CONNECTED)
    await store.announce(
        ScheduleChanged(
            organization_id=store.organization_id,
            request_id=caller.request_id,
            enabled=enabled,
            user_id=caller.user_id,
            role=caller.role,
            impersonator=caller.impersonator,
        )
    )
    return await schedule_standing(None, store)


async def schedule_standing(last_beat: datetime | None, store: Store) -> Standing:
    """How it stands; `last_beat` is when a scheduler last showed itself."""
    plan = await store.schedule.plan()
    reason = await _paused_reason(plan, store)
    return Standing(
        running=await store.runs.active(),
        last_completed_at=(await store.history.totals()).last_completed_at,
        paused_reason=reason,
        next_run_at=max(plan.next_run_at, store.now) if plan and reason is None else None,
        scheduler_beats=last_beat is not None and store.now - last_beat < BEAT_HOLDS,
    )


async def _paused_reason(plan: Plan | None, store: Store) -> PausedReason | None:
    connection = await store.connections.current()
    if plan is None or connection is None or connection.api_key is None:
        return "not_connected"
    if not connection.credentials_valid:
        return "credentials_refused"
    return None if plan.enabled else "paused_by_administrator"
