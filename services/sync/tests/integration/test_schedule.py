"""Runs that start by themselves, under a clock that the test turns."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from services.sync.tests.conftest import SOMEBODY
from sqlalchemy import text

from chassis.errors import Conflict
from contracts.events import ConnectionChanged
from sync import handlers
from sync.adapters.replicas import last_beat
from sync.adapters.runs import claim
from sync.adapters.schedule import claim_due

CLINIC = "org_test_clinic"


async def due_run(control: Any) -> Any:
    """The run that a scheduler starts at the next due moment, or has not started."""
    control.now = max(control.now, await control.next_run_at(CLINIC))
    await control.scheduler().tick()
    return await control.active(CLINIC)


async def test_a_new_clinic_is_read_entirely_within_the_hour_but_its_owner_has_a_head_start(control: Any) -> None:
    await control.connect(CLINIC)
    control.wait(minutes=9)
    await control.scheduler().tick()
    assert await control.active(CLINIC) is None
    control.wait(minutes=62)
    await control.scheduler().tick()
    run = await control.active(CLINIC)
    assert (run.mode, run.scheduled, run.status) == ("comprehensive", True, "queued")


async def test_a_clinic_is_synced_every_hour_and_entirely_once_a_day(control: Any) -> None:
    await control.connect(CLINIC)
    modes: list[tuple[str, datetime]] = []
    while len(modes) < 50:
        run = await due_run(control)
        modes.append((run.mode, run.started_at))
        control.wait(seconds=20)
        await control.complete(CLINIC)
    gaps = {later - earlier for (_, earlier), (_, later) in pairwise(modes[1:])}
    assert gaps == {timedelta(hours=1)}
    whole = [at for mode, at in modes if mode == "comprehensive"]
    assert [later - earlier for earlier, later in pairwise(whole[1:])] == [timedelta(days=1)]
    assert {mode for mode, _ in modes} == {"comprehensive", "incremental"}


async def test_several_schedulers_at_once_start_one_run_for_each_clinic(control: Any) -> None:
    clinics = [f"org_clinic_{number}" for number in range(60)]
    for clinic in clinics:
        await control.connect(clinic)
    control.wait(hours=2)
    await asyncio.gather(*(control.scheduler().tick() for _ in range(4)))
    for clinic in clinics:
        async with control.transactions(clinic) as store:
            assert (await store.history.totals()).total == 1


async def test_a_clinic_claimed_by_a_replica_that_died_is_served_by_another(control: Any) -> None:
    await control.connect(CLINIC)
    control.wait(hours=2)
    async with control.database.transaction() as connection:
        assert await claim_due(connection, control.now, 10) == [CLINIC]
    await control.scheduler().tick()
    assert await control.active(CLINIC) is None
    control.wait(seconds=61)
    await control.scheduler().tick()
    assert await control.active(CLINIC)


async def test_a_persons_run_stands_for_the_scheduled_one(control: Any) -> None:
    await control.connect(CLINIC)
    control.wait(hours=2)
    await control.start(CLINIC)
    await control.scheduler().tick()
    await control.complete(CLINIC)
    await control.scheduler().tick()
    assert await control.active(CLINIC) is None
    assert (await due_run(control)).mode == "incremental"


async def test_a_cancelled_run_does_not_start_again_at_once(control: Any) -> None:
    await control.connect(CLINIC)
    run = await due_run(control)
    async with control.transactions(CLINIC) as store:
        await handlers.cancel(run.sync_id, SOMEBODY, store)
    await control.scheduler().tick()
    assert await control.active(CLINIC) is None
    assert control.now < await control.next_run_at(CLINIC) <= control.now + timedelta(hours=1)


async def test_a_failing_clinic_is_left_alone_longer_and_longer_until_a_run_completes(control: Any) -> None:
    await control.connect(CLINIC)
    waits = []
    for _ in range(12):
        assert await due_run(control)
        await control.fail(CLINIC)
        waits.append(await control.next_run_at(CLINIC) - control.now)
        await control.scheduler().tick()
        assert await control.active(CLINIC) is None
    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert waits[-1] == timedelta(hours=1)
    assert await due_run(control)
    await control.complete(CLINIC)
    assert await control.next_run_at(CLINIC) <= control.now + timedelta(hours=1)


async def test_a_person_who_tries_again_and_again_does_not_hold_the_schedule_back(control: Any) -> None:
    await control.connect(CLINIC)
    before = await control.next_run_at(CLINIC)
    for _ in range(3):
        await control.start(CLINIC)
        await control.fail(CLINIC)
        control.wait(seconds=1)
    assert await control.next_run_at(CLINIC) == before


async def test_a_paused_clinic_rests_until_it_is_resumed(control: Any) -> None:
    await control.connect(CLINIC)
    async with control.transactions(CLINIC) as store:
        paused = await handlers.switch_schedule(SOMEBODY, store, enabled=False)
    assert (paused.paused_reason, paused.next_run_at) == ("paused_by_administrator", None)
    control.wait(days=3)
    await control.scheduler().tick()
    assert await control.active(CLINIC) is None
    async with control.transactions(CLINIC) as store:
        assert (await handlers.switch_schedule(SOMEBODY, store, enabled=True)).paused_reason is None
    await control.scheduler().tick()
    assert await control.active(CLINIC)


async def test_a_clinic_that_was_never_connected_has_no_schedule(control: Any) -> None:
    async with control.transactions(CLINIC) as store:
        with pytest.raises(Conflict):
            await handlers.switch_schedule(SOMEBODY, store, enabled=False)


async def test_a_refused_key_pauses_the_schedule_and_an_accepted_one_resumes_it(control: Any) -> None:
    await control.connect(CLINIC)
    control.wait(hours=2)
    for valid, reason in ((False, "credentials_refused"), (True, None)):
        async with control.transactions(CLINIC) as store:
            number = (await store.connections.current()).key_number
            await handlers.judge(number, None, store, valid=valid)
            assert (await handlers.schedule_standing(control.now, store)).paused_reason == reason
        await control.scheduler().tick()
        assert bool(await control.active(CLINIC)) is valid
        assert REGISTRY.get_sample_value("routiq_sync_paused_clinics", {"reason": "credentials_refused"}) == (not valid)
    said = [event.credentials_valid for event in await control.announced() if isinstance(event, ConnectionChanged)]
    assert said == [True, False, True]


async def test_a_disconnected_clinic_rests(control: Any) -> None:
    await control.connect(CLINIC)
    async with control.transactions(CLINIC) as store:
        await handlers.disconnect(None, store)
    control.wait(days=2)
    await control.scheduler().tick()
    assert await control.active(CLINIC) is None


async def test_the_scheduler_is_active_only_while_one_beats_and_nothing_holds_the_clinic(control: Any) -> None:
    await control.connect(CLINIC)

    async def active() -> bool:
        async with control.database.transaction() as connection:
            beat = await last_beat(connection)
        async with control.transactions(CLINIC) as store:
            return bool((await handlers.schedule_standing(beat, store)).scheduler_active)

    assert not await active()
    await control.scheduler(enabled=False).tick()
    assert not await active()
    await control.scheduler().tick()
    assert await active()
    control.wait(seconds=59)
    assert await active()
    control.wait(seconds=1)
    assert not await active()
    await control.scheduler().tick()
    async with control.transactions(CLINIC) as store:
        await handlers.switch_schedule(SOMEBODY, store, enabled=False)
    assert not await active()


async def test_a_replica_whose_schedule_is_switched_off_starts_nothing(control: Any) -> None:
    await control.connect(CLINIC)
    control.wait(days=2)
    await control.scheduler(enabled=False).tick()
    assert await control.active(CLINIC) is None


async def test_the_figures_tell_how_all_clinics_stand_and_name_none(control: Any) -> None:
    for clinic in ("org_a", "org_b", "org_c"):
        await control.connect(clinic)
    async with control.transactions("org_c") as store:
        await handlers.switch_schedule(SOMEBODY, store, enabled=False)
    control.wait(hours=2)
    await control.scheduler().tick()
    sample = REGISTRY.get_sample_value
    assert sample("routiq_sync_runs", {"mode": "comprehensive", "status": "queued"}) == 2
    assert sample("routiq_sync_due_clinics") == 2
    assert sample("routiq_sync_paused_clinics", {"reason": "paused_by_administrator"}) == 1
    assert sample("routiq_sync_scheduler_beat_seconds") == control.now.timestamp()
    for clinic in ("org_a", "org_b"):
        await control.complete(clinic)
    control.wait(minutes=2)
    await control.scheduler().tick()
    assert sample("routiq_sync_runs", {"mode": "comprehensive", "status": "completed"}) == 2
    assert sample("routiq_sync_runs", {"mode": "comprehensive", "status": "queued"}) is None
    assert sample("routiq_sync_due_clinics") == 0
    assert sample("routiq_sync_stalest_clinic_seconds") == 120
    labels = {value for metric in REGISTRY.collect() for one in metric.samples for value in one.labels.values()}
    assert not {label for label in labels if label.startswith("org_")}


async def test_how_fresh_the_clinics_data_are_is_told_without_those_nobody_can_serve(control: Any) -> None:
    clinics = [f"org_fresh_{number}" for number in range(10)]
    for clinic in (*clinics, "org_paused", "org_refused"):
        await control.connect(clinic)
    async with control.transactions("org_paused") as store:
        await handlers.switch_schedule(SOMEBODY, store, enabled=False)
    async with control.transactions("org_refused") as store:
        await handlers.judge(1, None, store, valid=False)
    control.wait(hours=3)
    await control.scheduler().tick()
    for clinic in clinics[:8]:
        await control.complete(clinic)
    control.wait(minutes=1)
    await control.scheduler().tick()
    sample = REGISTRY.get_sample_value
    assert (sample("routiq_sync_served_clinics"), sample("routiq_sync_late_clinics")) == (10, 2)
    assert sample("routiq_sync_data_age_seconds", {"quantile": "0.5"}) == 60
    assert (sample("routiq_sync_data_age_seconds", {"quantile": "0.99"}) or 0) > 3 * 3600
    assert (sample("routiq_sync_stalest_clinic_seconds") or 0) > 3 * 3600
    assert sample("routiq_sync_silent_runs") == 0


async def test_a_run_that_has_no_beat_any_more_is_told(control: Any) -> None:
    await control.connect(CLINIC)
    await control.start(CLINIC)
    async with control.database.transaction() as connection:
        await claim(connection, uuid4())
    async with control.database.transaction(CLINIC) as connection:
        await connection.execute(text("UPDATE runs SET heartbeat_at = now() - interval '90 seconds'"))
    await control.scheduler().tick()
    assert REGISTRY.get_sample_value("routiq_sync_silent_runs") == 1
