"""A person stops a run."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from services.sync.tests.conftest import SOMEBODY

from chassis.errors import Conflict, NotFound
from contracts.events import PatientsSynced, SyncRunChanged
from sync import handlers
from sync.entrypoints.worker import Worker

CLINIC = "org_test_clinic"
KEY = "MS0-test-clinic-au4"


async def begin(control: Any) -> str:
    async with control.transactions(CLINIC) as store:
        await handlers.store_key(KEY, None, store, control.vault)
    return str(await control.start(CLINIC))


async def cancel(control: Any, sync_id: str, organization_id: str = CLINIC) -> Any:
    async with control.transactions(organization_id) as store:
        return await handlers.cancel(sync_id, SOMEBODY, store)


async def landed_something(control: Any, sync_id: str) -> bool:
    return bool((await control.run(CLINIC, sync_id)).patients_landed)


async def test_a_run_stops_within_a_page_and_what_it_had_brought_in_stays(
    service: Any, control: Any, cliniko: Any
) -> None:
    sync_id = await begin(control)
    await cliniko.settings(latency_ms=150)
    async with service.working() as working:
        await service.until(lambda: landed_something(control, sync_id))
        cancelled = await cancel(control, sync_id)
        await asyncio.sleep(0.6)
        assert not working.done()
        after = await control.run(CLINIC, sync_id)
    assert (after.status, after.failure) == ("cancelled", "Cancelled on request.")
    assert after.ended_at == control.now
    assert after.records_landed == cancelled.records_landed > 0
    announced = await control.announced()
    ends = [e for e in announced if isinstance(e, SyncRunChanged) and e.status == "cancelled"]
    assert [(e.sync_id, e.records_success) for e in ends] == [(sync_id, after.records_landed)]
    assert announced[-1] == ends[0]


async def test_the_next_run_sends_what_nobody_confirmed_of_a_cancelled_one(
    service: Any, control: Any, cliniko: Any
) -> None:
    sync_id = await begin(control)
    await cliniko.settings(latency_ms=100)
    async with service.working():
        await service.until(lambda: landed_something(control, sync_id))
        await cancel(control, sync_id)
        await cliniko.settings(latency_ms=0)
        await service.confirm_everything()  # too late: nobody waits for these receipts any more
        again = await control.start(CLINIC)
        await service.until(lambda: service.landed(again))
    sent = [e for e in await control.announced() if isinstance(e, PatientsSynced) and e.sync_id == again]
    patients = {patient.cliniko_patient_id for event in sent for patient in event.records}
    assert len(patients) == await cliniko.total("patients", "archived_at:*")


async def test_the_hand_of_a_cancelled_run_that_waits_for_cliniko_is_free_at_once(
    service: Any, control: Any, cliniko: Any
) -> None:
    sync_id = await begin(control)
    await cliniko.settings(latency_ms=6_000)
    worker = Worker(uuid4(), service.database, service.accounts, service.vault, hands=1)
    working = asyncio.create_task(worker.work())
    try:
        await service.until_status(sync_id, "running")
        await cancel(control, sync_id)
        await cliniko.settings(latency_ms=0)
        again = await control.start(CLINIC)
        await service.until(lambda: service.landed(again), seconds=4)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_a_queued_run_is_cancelled_before_it_begins(service: Any, control: Any) -> None:
    sync_id = await begin(control)
    assert (await cancel(control, sync_id)).status == "cancelled"
    again = await control.start(CLINIC)
    async with service.working():
        await service.until(lambda: service.landed(again))
    assert (await control.run(CLINIC, sync_id)).began_at is None


async def test_saying_it_twice_changes_nothing_and_an_ended_run_cannot_be_cancelled(control: Any) -> None:
    sync_id = await begin(control)
    first, announced = await cancel(control, sync_id), len(await control.announced())
    assert await cancel(control, sync_id) == first
    assert len(await control.announced()) == announced
    control.wait(seconds=1)
    completed = await control.start(CLINIC)
    await control.complete(CLINIC)
    control.wait(seconds=1)
    failed = await control.start(CLINIC)
    await control.fail(CLINIC)
    for ended in (completed, failed):
        with pytest.raises(Conflict):
            await cancel(control, ended)


async def test_a_run_whose_end_is_announced_can_no_longer_be_cancelled(service: Any, control: Any) -> None:
    sync_id = await begin(control)
    async with service.working():
        await service.until(lambda: service.landed(sync_id))
    await service.confirm_everything()
    assert (await control.run(CLINIC, sync_id)).closing_id
    with pytest.raises(Conflict):
        await cancel(control, sync_id)
    await service.confirm_everything()
    assert await service.status(sync_id) == "completed"


async def test_another_clinics_run_is_not_found(control: Any) -> None:
    sync_id = await begin(control)
    for unknown in (sync_id, "sync_nothing"):
        with pytest.raises(NotFound):
            await cancel(control, unknown, "org_other")
