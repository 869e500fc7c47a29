"""Who is served first, and that a large clinic keeps no small one waiting."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from sqlalchemy import text

from cliniko_emulator.accounts import Account
from cliniko_emulator.app import create_app
from contracts.events import PatientsSynced
from sync import handlers
from sync.adapters.accounts import Accounts
from sync.adapters.runs import claim
from sync.entrypoints.worker import Worker

LARGE = "org_large"
SMALL = [f"org_small_{number}" for number in range(10)]


async def claimed(control: Any, *, newcomers_only: bool = False) -> str | None:
    async with control.database.transaction() as connection:
        run = await claim(connection, uuid4(), newcomers_only=newcomers_only)
    return run.organization_id if run else None


async def test_what_a_person_started_comes_first_then_who_was_served_longest_ago(control: Any) -> None:
    for clinic in ("org_a", "org_b", "org_c", "org_d"):
        await control.connect(clinic)
    for clinic in ("org_b", "org_a", "org_c"):  # the order of their last service
        await control.start(clinic)
        assert await claimed(control) == clinic
        await control.complete(clinic)
        control.wait(seconds=5)
    for clinic in ("org_a", "org_b", "org_d"):
        await control.start(clinic, scheduled=True)
    await control.start("org_c")
    assert [await claimed(control) for _ in range(5)] == ["org_c", "org_d", "org_b", "org_a", None]


async def test_a_run_that_stepped_back_loses_its_precedence_and_leaves_one_hand_to_newcomers(control: Any) -> None:
    worker = uuid4()
    for clinic in ("org_a", "org_b"):
        await control.connect(clinic)
    sync_id = await control.start("org_a")
    async with control.database.transaction() as connection:
        await claim(connection, worker)
    async with control.transactions("org_a") as store:
        await store.runs.step_back(sync_id, uuid4())  # by one who does not have it
        assert await store.runs.held(sync_id, worker)
        await store.runs.step_back(sync_id, worker)
        assert not await store.runs.held(sync_id, worker)
    assert await claimed(control, newcomers_only=True) is None
    await control.start("org_b", scheduled=True)
    assert await claimed(control) == "org_b"
    assert await claimed(control) == "org_a"
    assert (await control.run("org_a", sync_id)).attempts == 1


@asynccontextmanager
async def serving(*accounts: Account, latency_ms: int = 0) -> AsyncIterator[Accounts]:
    """Cliniko with these clinics."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(accounts, rate_limit=1_000_000, latency_ms=latency_ms)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    clinics = Accounts(f"http://127.0.0.1:{listening.getsockname()[1]}/{{shard}}/v1", "test@routiq.example")
    yield clinics
    await clinics.close()
    server.should_exit = True
    await task


async def prepare(control: Any, clinic: str, key: str) -> str:
    async with control.transactions(clinic) as store:
        await handlers.store_key(key, None, store, control.vault)
    return str(await control.start(clinic))


@pytest.mark.parametrize(("hands", "turn_seconds"), [(2, 600.0), (1, 0.5)])
async def test_ten_small_clinics_are_read_while_one_with_a_hundred_thousand_records_still_is(
    control: Any, hands: int, turn_seconds: float
) -> None:
    """With a second hand the small ones pass beside it; with one hand it steps back for them."""
    large = Account("MS0-large-au4", seed=1, patients=18_000)
    small = [Account(f"MS0-small-{number}-au4", seed=number, patients=20) for number in range(len(SMALL))]
    async with serving(large, *small, latency_ms=20) as accounts:
        large_run = await prepare(control, LARGE, large.key)
        worker = Worker(uuid4(), control.database, accounts, control.vault, hands=hands, turn_seconds=turn_seconds)
        working = asyncio.create_task(worker.work())
        try:
            await until(control, LARGE, large_run, "records_total")
            small_runs = [await prepare(control, clinic, one.key) for clinic, one in zip(SMALL, small, strict=True)]
            for clinic, sync_id in zip(SMALL, small_runs, strict=True):
                await until(control, clinic, sync_id, "landed_at")
            run = await control.run(LARGE, large_run)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    assert (run.status, run.landed_at) == ("running", None)
    assert run.records_total > 100_000
    assert run.records_seen < run.records_total
    assert (run.turns > 0) is (hands == 1)
    assert run.attempts <= 2


async def test_a_run_that_steps_back_goes_on_where_it_was_and_lands_no_page_twice(control: Any, cliniko: Any) -> None:
    accounts = Accounts(cliniko.template, "test@routiq.example")
    await cliniko.settings(latency_ms=60)
    key = "MS0-test-clinic-au4"
    runs = {clinic: await prepare(control, clinic, key) for clinic in ("org_a", "org_b", "org_c")}
    worker = Worker(uuid4(), control.database, accounts, control.vault, hands=1, turn_seconds=0.3)
    working = asyncio.create_task(worker.work())
    try:
        for clinic, sync_id in runs.items():
            await until(control, clinic, sync_id, "landed_at")
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await accounts.close()
    ended = [await control.run(clinic, sync_id) for clinic, sync_id in runs.items()]
    assert sum(run.turns for run in ended) > 0
    attending = await cliniko.total("attendees", "archived_at:*", "cancelled_at:*", "deleted_at:*")
    for run in ended:
        assert (run.records_seen, run.attempts) == (run.records_total + attending, 1)  # counted when they are read
        patients = [
            patient.cliniko_patient_id
            for event in await control.announced()
            if isinstance(event, PatientsSynced) and event.sync_id == run.sync_id
            for patient in event.records
        ]
        assert len(set(patients)) == len(patients) == await cliniko.total("patients", "archived_at:*")


async def until(control: Any, clinic: str, sync_id: str, column: str) -> None:
    """Wait until that column of the run says something."""
    async with asyncio.timeout(60):
        while getattr(run := await control.run(clinic, sync_id), column) is None:
            assert run.status in ("queued", "running"), run.failure
            await asyncio.sleep(0.02)


async def test_no_two_workers_have_one_clinic(control: Any) -> None:
    clinics = [f"org_clinic_{number}" for number in range(20)]
    for clinic in clinics:
        await control.connect(clinic)
        await control.start(clinic, scheduled=True)
    taken = await asyncio.gather(*(claimed(control) for _ in range(30)))
    assert sorted(filter(None, taken)) == sorted(clinics)
    async with control.database.transaction(clinics[0]) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM runs")) == 1
