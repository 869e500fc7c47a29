"""What people do is announced with their names, for the audit; and what operators want to go goes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from services.sync.tests.conftest import ORGANIZATION
from sqlalchemy import text

from contracts.events import CleanupRequested, ConnectionChanged, ScheduleChanged, SyncLogsRemoved, SyncRunChanged
from sync.entrypoints.consumers import consumers

ENDED = text("""
    INSERT INTO runs (organization_id, sync_id, mode, status, started_at, completed_at)
    VALUES (:organization_id, :sync_id, :mode, :status, :ended, :ended)
""")


async def announced(service: Any, kind: type[Any]) -> list[Any]:
    return [event for event in await service.announced() if isinstance(event, kind)]


async def test_a_run_says_who_started_it_and_who_cancelled_it(service: Any, api: Any) -> None:
    await api.connect()
    sync_id = (await api("POST", "sync/trigger", role="member")).json()["sync_id"]
    await api("POST", f"sync/cancel/{sync_id}")
    started, cancelled = await announced(service, SyncRunChanged)
    assert [(run.user_id, run.role) for run in (started, cancelled)] == [("user_1", "member")] * 2
    assert (started.cancelled_by, cancelled.cancelled_by) == (None, "user_1")


async def test_a_run_that_the_schedule_starts_is_nobodys(service: Any, control: Any) -> None:
    await control.connect(ORGANIZATION)
    control.now = await control.next_run_at(ORGANIZATION)
    await control.scheduler().tick()
    (run,) = await announced(service, SyncRunChanged)
    assert (run.user_id, run.role, run.impersonator) == (None, None, None)


async def test_who_connects_and_disconnects_a_clinic_is_named(service: Any, api: Any) -> None:
    await api.connect()
    await api("DELETE", f"cliniko/connection/{ORGANIZATION}")
    changes = await announced(service, ConnectionChanged)
    assert [(change.connected, change.user_id, change.role) for change in changes] == [
        (True, "user_1", "admin"),
        (False, "user_1", "admin"),
    ]


async def test_who_pauses_and_resumes_the_schedule_is_announced(service: Any, api: Any) -> None:
    await api.connect()
    for word in ("pause", "resume"):
        await api("POST", f"sync/schedule/{ORGANIZATION}/{word}")
    changes = await announced(service, ScheduleChanged)
    assert [(change.enabled, change.user_id) for change in changes] == [(False, "user_1"), (True, "user_1")]


async def clean_up(service: Any, now: datetime, days_old: int = 90) -> CleanupRequested:
    event = CleanupRequested(
        organization_id=ORGANIZATION, occurred_at=now, days_old=days_old, user_id="user_2", request_id=uuid4().hex
    )
    (subscription,) = (one for one in consumers.subscriptions if one.event is CleanupRequested)
    for _ in range(2):
        await consumers.handle(subscription, event.model_dump_json().encode(), service.database)
    return event


async def ended(service: Any, now: datetime, *days_ago: int, **different: str) -> list[str]:
    """Runs that ended so long ago; their ids."""
    row = {"organization_id": ORGANIZATION, "mode": "comprehensive", "status": "completed", **different}
    ids = [f"sync_{row['organization_id']}_{uuid4().hex}" for _ in days_ago]
    async with service.database.transaction(row["organization_id"]) as connection:
        for sync_id, days in zip(ids, days_ago, strict=True):
            await connection.execute(ENDED, {**row, "sync_id": sync_id, "ended": now - timedelta(days=days)})
    return ids


async def left(service: Any, organization_id: str = ORGANIZATION) -> set[str]:
    async with service.database.transaction(organization_id) as connection:
        return set(await connection.scalars(text("SELECT sync_id FROM runs")))


async def test_old_sync_logs_go_and_it_is_announced_once_how_many(service: Any, control: Any) -> None:
    young = await ended(service, control.now, 1, 89)
    await ended(service, control.now, 91, 400)
    await ended(service, control.now, 91, status="failed")
    others = await ended(service, control.now, 400, 401, organization_id="org_other")
    request = await clean_up(service, control.now)
    assert await left(service) == set(young)
    assert await left(service, "org_other") == set(others)
    (told,) = await announced(service, SyncLogsRemoved)
    assert (told.removed, told.days_old, told.user_id, told.request_id) == (3, 90, "user_2", request.request_id)


async def test_the_last_good_run_of_each_mode_stays_however_old_and_so_does_one_under_way(
    service: Any, control: Any
) -> None:
    kept = await ended(service, control.now, 200)
    kept += await ended(service, control.now, 300, mode="incremental")
    await ended(service, control.now, 201, 202)
    await control.connect(ORGANIZATION)
    kept.append(await control.start(ORGANIZATION))
    await clean_up(service, control.now + timedelta(days=1000), days_old=1)
    assert await left(service) == set(kept)


async def test_where_nothing_is_old_nothing_is_announced(service: Any, control: Any) -> None:
    await ended(service, control.now, 1)
    await clean_up(service, control.now)
    assert await announced(service, SyncLogsRemoved) == []
