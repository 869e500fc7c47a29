"""Whole runs against the Cliniko emulator and real PostgreSQL."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from chassis.errors import Conflict
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    ConnectionChanged,
    PatientsSynced,
    PractitionersSynced,
    SyncMode,
    SyncRunChanged,
)
from sync import handlers
from sync.adapters.runs import LEASE, claim

ORGANIZATION = "org_test_clinic"
KEY = "MS0-test-clinic-au4"


async def connect(service: Any, api_key: str = KEY) -> None:
    async with service.transactions(ORGANIZATION) as store:
        await handlers.store_key(api_key, None, store, service.vault)


async def start(service: Any, mode: SyncMode = "comprehensive") -> str:
    async with service.transactions(ORGANIZATION) as store:
        run, started = await handlers.start_sync(mode, None, store)
    assert started
    return str(run.sync_id)


async def complete(service: Any, mode: SyncMode = "comprehensive") -> str:
    sync_id = await start(service, mode)
    async with service.working():
        await service.until(lambda: service.landed(sync_id))
        await service.confirm_everything()
        await service.confirm_everything()
        await service.until_status(sync_id, "completed")
    return sync_id


async def sent(service: Any, sync_id: str, event: type[Any]) -> list[Any]:
    batches = [e for e in await service.announced() if isinstance(e, event) and e.sync_id == sync_id]
    return [record for batch in batches for record in batch.records]


async def test_a_run_without_a_connection_is_a_conflict(service: Any) -> None:
    with pytest.raises(Conflict):
        await start(service)


async def test_a_comprehensive_run_announces_every_record_of_the_clinic_once(service: Any, cliniko: Any) -> None:
    await connect(service)
    sync_id = await complete(service)
    patients = await sent(service, sync_id, PatientsSynced)
    appointments = await sent(service, sync_id, AppointmentsSynced)
    assert len({p.cliniko_patient_id for p in patients}) == len(patients)
    assert len(patients) == await cliniko.total("patients", "archived_at:*")
    every = ("archived_at:*", "cancelled_at:*", "deleted_at:*")
    run = await service.run(sync_id)
    everyone = [await cliniko.total(each, *every) for each in ("individual_appointments", "attendees")]
    assert len(appointments) + run.records_rejected == sum(everyone)
    assert await sent(service, sync_id, AppointmentTypesSynced)
    inactive = [p for p in await sent(service, sync_id, PractitionersSynced) if not p.active]
    assert len(inactive) == await cliniko.total("practitioners/inactive")
    assert run.patients_reported == await cliniko.total("patients")
    assert run.records_confirmed == run.records_landed + run.records_rejected == run.records_total


async def test_a_second_run_over_an_unchanged_clinic_sends_no_record(service: Any) -> None:
    await connect(service)
    await complete(service)
    async with service.database.transaction() as connection:
        await connection.execute(text("DELETE FROM outbox"))
    sync_id = await complete(service)
    assert {type(event) for event in await service.announced()} <= {SyncRunChanged}
    run = await service.run(sync_id)
    assert run.progress == 100
    assert run.records_confirmed == run.records_total


async def test_a_change_in_cliniko_travels_alone(service: Any, cliniko: Any) -> None:
    await connect(service)
    first = await complete(service)
    changed = (await sent(service, first, PatientsSynced))[0]
    target = f"/_control/au4/patients/{changed.cliniko_patient_id}"
    (await cliniko.http.patch(target, json={"first_name": "Renamed"})).raise_for_status()
    (record,) = await sent(service, await complete(service), PatientsSynced)
    assert (record.cliniko_patient_id, record.first_name) == (changed.cliniko_patient_id, "Renamed")
    assert record.sequence > changed.sequence


async def test_a_run_is_completed_only_after_both_readers_confirmed_every_batch_and_its_end(service: Any) -> None:
    await connect(service)
    sync_id = await start(service)
    async with service.working():
        await service.until(lambda: service.landed(sync_id))
    for batch in await service.announced():
        if not isinstance(batch, ConnectionChanged):
            await service.confirm(batch, by="analytics")
    run = await service.run(sync_id)
    assert run.status == "running"
    assert run.progress < 100
    assert run.closing_id is None
    await service.confirm_everything()
    closing = (await service.announced())[-1]
    assert isinstance(closing, SyncRunChanged)
    assert closing.status == "completed"
    assert await service.status(sync_id) == "running"
    await service.confirm(closing, by="patients")
    assert await service.status(sync_id) == "running"
    await service.confirm(closing, by="analytics")
    assert await service.status(sync_id) == "completed"


@pytest.mark.parametrize("mode", ["basic", "patients-only"])
async def test_a_smaller_mode_reads_less(service: Any, cliniko: Any, mode: SyncMode) -> None:
    await connect(service)
    sync_id = await complete(service, mode)
    appointments = await sent(service, sync_id, AppointmentsSynced)
    run = await service.run(sync_id)
    assert len(await sent(service, sync_id, PatientsSynced)) == await cliniko.total("patients", "archived_at:*")
    assert all((run.started_at - a.starts_at).days <= 30 for a in appointments)
    assert bool(appointments) == (mode == "basic")


async def test_two_triggers_at_once_start_one_run(service: Any) -> None:
    await connect(service)

    async def trigger() -> tuple[str, bool]:
        async with service.transactions(ORGANIZATION) as store:
            run, started = await handlers.start_sync("comprehensive", None, store)
        return run.sync_id, started

    answers = await asyncio.gather(*(trigger() for _ in range(5)))
    assert len({sync_id for sync_id, _ in answers}) == 1
    assert [started for _, started in answers].count(True) == 1


async def test_a_worker_that_is_stopped_midway_is_replaced_and_no_page_is_landed_twice(
    service: Any, cliniko: Any
) -> None:
    await connect(service)
    sync_id = await start(service)
    await cliniko.settings(latency_ms=40)
    async with service.working():
        await service.until(lambda: has_landed(service, sync_id, "patients_landed"))
    assert not await service.landed(sync_id)
    await cliniko.settings(latency_ms=0)
    async with service.working():
        await service.until(lambda: service.landed(sync_id))
    patients = await sent(service, sync_id, PatientsSynced)
    assert len({p.cliniko_patient_id for p in patients}) == len(patients)
    run = await service.run(sync_id)
    assert run.attempts == 1  # it was on its way
    attending = await cliniko.total("attendees", "archived_at:*", "cancelled_at:*", "deleted_at:*")
    assert attending
    assert run.records_landed + run.records_rejected == run.records_total + attending  # counted when they are read


async def test_a_refused_key_fails_the_run_with_a_reason_and_marks_the_connection(service: Any) -> None:
    await connect(service, "MS0-some-other-key-au4")
    sync_id = await start(service)
    async with service.working():
        await service.until_status(sync_id, "failed")
    run = await service.run(sync_id)
    assert "refused the API key" in run.failure
    announced = await service.announced()
    assert [e.credentials_valid for e in announced if isinstance(e, ConnectionChanged)] == [True, False]
    assert [e.status for e in announced if isinstance(e, SyncRunChanged)][-1] == "failed"


async def test_a_worker_that_lost_the_run_cannot_fail_it(service: Any, cliniko: Any) -> None:
    await connect(service, "MS0-some-other-key-au4")
    sync_id = await start(service)
    await cliniko.settings(latency_ms=600)
    new_holder = text("UPDATE runs SET worker = gen_random_uuid() WHERE status = 'running'")
    async with service.working() as working:
        await service.until_status(sync_id, "running")
        async with service.database.transaction(ORGANIZATION) as connection:
            await connection.execute(new_holder)
        await asyncio.sleep(1.5)
        assert not working.done()
    assert await service.status(sync_id) == "running"


async def test_a_server_error_is_waited_out(service: Any, cliniko: Any) -> None:
    await connect(service)
    await cliniko.settings(fail_next={"status": 503, "times": 2})
    sync_id = await complete(service)
    assert await service.status(sync_id) == "completed"


async def test_the_key_is_nowhere_in_the_database(service: Any) -> None:
    await connect(service)
    async with service.transactions(ORGANIZATION) as store:
        row = await store.connections.current()
    assert KEY.encode() not in row.api_key
    assert service.vault.open(row.api_key, ORGANIZATION) == KEY


async def test_another_organizations_rows_are_invisible(service: Any) -> None:
    await connect(service)
    sync_id = await start(service)
    async with service.working():
        await service.until(lambda: service.landed(sync_id))
    tables = {"connections", "runs", "pages", "batches", "landed", "rejected", "cursors"}
    for organization_id, visible in ((ORGANIZATION, tables - {"rejected"}), ("org_other", set())):
        async with service.database.transaction(organization_id) as connection:
            counts = {table: await connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables}
        assert {table for table, count in counts.items() if count} == visible
    async with service.transactions("org_other") as store:
        assert await store.runs.get(sync_id) is None


async def test_records_whose_batch_was_never_confirmed_are_sent_again_by_the_next_run(service: Any) -> None:
    await connect(service)
    lost = await start(service)
    async with service.working():
        await service.until(lambda: service.landed(lost))
    async with service.transactions(ORGANIZATION) as store:
        await handlers.stop_waiting(await store.runs.get(lost), store)
    assert "not confirmed" in (await service.run(lost)).failure
    sent_first = await sent(service, lost, PatientsSynced)
    sent_again = await sent(service, await complete(service), PatientsSynced)
    assert {p.cliniko_patient_id for p in sent_again} == {p.cliniko_patient_id for p in sent_first}
    assert sorted(p.sequence for p in sent_again) == sorted(p.sequence for p in sent_first)


async def test_a_run_whose_end_was_not_confirmed_announces_it_again(service: Any) -> None:
    await connect(service)
    sync_id = await start(service)
    async with service.working():
        await service.until(lambda: service.landed(sync_id))
    await service.confirm_everything()
    first = (await service.announced())[-1]
    async with service.transactions(ORGANIZATION) as store:
        await handlers.stop_waiting(await store.runs.get(sync_id), store)
    second = (await service.announced())[-1]
    assert (second.status, second.event_id == first.event_id) == ("completed", False)
    assert second.revision > first.revision
    await service.confirm_everything()
    assert await service.status(sync_id) == "completed"


async def test_disconnecting_ends_the_run_that_reads_with_the_key(service: Any, cliniko: Any) -> None:
    await connect(service)
    sync_id = await start(service)
    await cliniko.settings(latency_ms=100)
    async with service.working():
        await service.until(lambda: has_landed(service, sync_id, "patients_landed"))
        async with service.transactions(ORGANIZATION) as store:
            await handlers.disconnect(None, store)
        at_the_end = await service.run(sync_id)
        await asyncio.sleep(0.5)
    assert (at_the_end.status, at_the_end.failure) == ("failed", "Cliniko was disconnected.")
    assert (await service.run(sync_id)).records_landed == at_the_end.records_landed


async def test_a_refusal_of_the_old_key_says_nothing_of_the_new_one(service: Any) -> None:
    await connect(service, "MS0-revoked-au4")
    async with service.transactions(ORGANIZATION) as store:
        old = (await store.connections.current()).key_number
    await connect(service)
    async with service.transactions(ORGANIZATION) as store:
        await handlers.judge(old, None, store, valid=False)
        assert (await store.connections.current()).credentials_valid


async def test_a_run_without_a_beat_is_taken_over_after_its_lease_and_not_before(service: Any) -> None:
    await connect(service)
    sync_id = await start(service)
    workers = [uuid4(), uuid4(), uuid4()]

    async def claimed(worker: UUID) -> bool:
        async with service.database.transaction() as connection:
            return await claim(connection, worker) is not None

    async def forget(seconds: int) -> None:
        statement = text("UPDATE runs SET heartbeat_at = heartbeat_at - make_interval(secs => :seconds)")
        async with service.database.transaction(ORGANIZATION) as connection:
            await connection.execute(statement, {"seconds": seconds})

    assert await claimed(workers[0])
    assert not await claimed(workers[1])
    await forget(LEASE.seconds - 5)
    assert not await claimed(workers[1])
    await forget(10)
    assert await claimed(workers[1])
    async with service.transactions(ORGANIZATION) as store:
        assert not await store.runs.held(sync_id, workers[0])
        assert await store.runs.held(sync_id, workers[1])


async def has_landed(service: Any, sync_id: str, column: str) -> bool:
    return bool(getattr(await service.run(sync_id), column))
