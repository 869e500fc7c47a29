"""What deliveries may do wrong, one at a time; `test_history` mixes them."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from services.analytics.tests.conftest import Analytics
from sqlalchemy import text

from analytics import handlers
from analytics.adapters.store import Store
from contracts.base import Event
from contracts.events import (
    AppointmentsSynced,
    BatchApplied,
    FiguresCounted,
    PatientErased,
    PatientsSynced,
    SyncRunChanged,
)
from contracts.records import AppointmentRecord, PatientRecord

NOW = datetime(2025, 6, 30, 12, tzinfo=UTC)
OUTBOX = text("SELECT routing_key, body FROM outbox ORDER BY id")


def patient(identity: int, *, sequence: int = 1, archived: bool = False) -> PatientRecord:
    version = {"created_at": NOW, "updated_at": NOW, "sequence": sequence, "cliniko_patient_id": str(identity)}
    return PatientRecord.model_validate({**version, "archived_at": NOW if archived else None})


def page(*records: PatientRecord, sync_id: str | None = None) -> PatientsSynced:
    return PatientsSynced(organization_id="org_a", sync_id=sync_id, records=records)


def upcoming(patient_id: int, sequence: int = 1) -> AppointmentsSynced:
    version = {
        "created_at": NOW,
        "updated_at": NOW,
        "sequence": sequence,
        "starts_at": datetime.now(UTC) + timedelta(days=1),
    }
    ids = {"cliniko_appointment_id": "1", "cliniko_patient_id": str(patient_id)}
    record = AppointmentRecord.model_validate({**version, **ids})
    return AppointmentsSynced(organization_id="org_a", sync_id="sync_1", records=(record,))


def run(status: str, revision: int) -> SyncRunChanged:
    state = {"sync_id": "sync_1", "revision": revision, "status": status, "mode": "basic", "full_sweep": False}
    return SyncRunChanged.model_validate({"organization_id": "org_a", "started_at": NOW, **state})


async def announced(analytics: Analytics, event: type[Event]) -> list[Event]:
    async with analytics.database.transaction() as connection:
        letters = (await connection.execute(OUTBOX)).all()
    key = event.routing_key("analytics")
    return [event.model_validate_json(body) for routing_key, body in letters if routing_key == key]


async def total_patients(analytics: Analytics) -> int:
    total: int = (await analytics.summary("org_a", NOW))["total_patients"]
    return total


async def test_an_older_state_that_comes_late_changes_nothing(analytics: Analytics) -> None:
    await analytics.receive(page(patient(1, sequence=2, archived=True)), page(patient(1, sequence=1)))
    assert await total_patients(analytics) == 0


async def test_of_two_states_in_one_page_the_newer_wins(analytics: Analytics) -> None:
    await analytics.receive(page(patient(1, sequence=2), patient(1, sequence=1, archived=True)))
    assert await total_patients(analytics) == 1


async def test_an_empty_page_is_harmless(analytics: Analytics) -> None:
    await analytics.receive(page())
    assert await total_patients(analytics) == 0


async def test_an_appointment_counts_once_its_patient_has_come(analytics: Analytics) -> None:
    await analytics.receive(upcoming(patient_id=1))
    assert (await analytics.summary("org_a", NOW))["total_all_appointments"] == 0
    await analytics.receive(page(patient(1)))
    assert (await analytics.summary("org_a", NOW))["total_all_appointments"] == 1


async def test_an_appointment_that_turns_out_to_be_another_patients_leaves_the_first(analytics: Analytics) -> None:
    await analytics.receive(page(patient(1), patient(2)), upcoming(patient_id=1))
    assert (await analytics.summary("org_a", NOW))["active_patients"] == 1
    await analytics.receive(upcoming(patient_id=2, sequence=2))
    summary = await analytics.summary("org_a", NOW)
    assert (summary["active_patients"], summary["total_all_appointments"]) == (1, 1)


async def test_pages_with_the_same_patients_in_opposite_order_can_come_at_once(analytics: Analytics) -> None:
    patients = [patient(identity) for identity in range(200)]
    pages = [page(*patients), page(*reversed(patients))] * 4
    await asyncio.gather(*(analytics.receive(page(*each.records)) for each in pages))
    assert await total_patients(analytics) == 200


async def test_a_run_keeps_its_newest_state(analytics: Analytics) -> None:
    await analytics.receive(run("completed", revision=3), run("running", revision=2))
    assert [entry["status"] for entry in await analytics.activity("org_a", NOW)] == ["completed"]


async def test_a_batch_of_a_run_is_confirmed_once_however_often_it_comes(analytics: Analytics) -> None:
    batch = page(patient(1), sync_id="sync_1")
    await analytics.receive(batch, batch)
    (receipt,) = await announced(analytics, BatchApplied)
    assert isinstance(receipt, BatchApplied)
    assert (receipt.batch_id, receipt.sync_id) == (batch.event_id, "sync_1")


async def test_records_sent_outside_a_run_are_not_confirmed(analytics: Analytics) -> None:
    await analytics.receive(page(patient(1)))
    assert await announced(analytics, BatchApplied) == []


async def test_every_change_of_a_run_announces_the_clinics_size(analytics: Analytics) -> None:
    await analytics.receive(run("running", revision=1), page(patient(1), patient(2)), upcoming(patient_id=1))
    await analytics.receive(run("completed", revision=2))
    counted = [event for event in await announced(analytics, FiguresCounted) if isinstance(event, FiguresCounted)]
    assert [(event.total_patients, event.active_patients) for event in counted] == [(0, 0), (2, 1)]


async def test_the_announced_size_is_dated_before_it_was_counted(analytics: Analytics) -> None:
    async with analytics.database.transaction("org_a") as connection:
        await handlers.record_run(run("completed", revision=1), Store(connection), NOW)
    (counted,) = await announced(analytics, FiguresCounted)
    assert counted.occurred_at == NOW


async def test_nothing_of_an_erased_patient_is_left_or_kept_again(analytics: Analytics) -> None:
    known = (page(patient(1), patient(2)), upcoming(1))
    await analytics.receive(*known)
    assert (await analytics.summary("org_a", datetime.now(UTC)))["active_patients"] == 1
    await analytics.receive(
        PatientErased(organization_id="org_a", patient_id=uuid4(), cliniko_patient_id="1", user_id="user_1"),
        page(patient(1, sequence=5), patient(3)),
        upcoming(1, sequence=5),
    )
    figures = await analytics.summary("org_a", datetime.now(UTC))
    assert (figures["active_patients"], figures["total_patients"]) == (0, 2)
    async with analytics.database.transaction("org_a") as connection:
        for table in ("patients", "appointments", "patient_figures"):
            left = text(f"SELECT count(*) FROM {table} WHERE cliniko_patient_id = '1'")
            assert (table, await connection.scalar(left)) == (table, 0)


@pytest.mark.parametrize("late", [False, True])
async def test_an_appointment_that_becomes_an_erased_patients_is_nobodys_in_whatever_order_its_states_come(
    analytics: Analytics, late: bool
) -> None:
    before, moved = upcoming(patient_id=2), upcoming(patient_id=1, sequence=2)
    erased = PatientErased(organization_id="org_a", patient_id=uuid4(), cliniko_patient_id="1", user_id="user_1")
    await analytics.receive(page(patient(1), patient(2)), erased, *([moved, before] if late else [before, moved]))
    assert (await analytics.summary("org_a", NOW))["active_patients"] == 0
    await analytics.receive(upcoming(patient_id=2, sequence=3))
    assert (await analytics.summary("org_a", NOW))["active_patients"] == 1


async def test_an_older_state_of_an_erased_patients_appointment_gives_it_to_nobody(analytics: Analytics) -> None:
    await analytics.receive(
        page(patient(1), patient(2)),
        upcoming(patient_id=1, sequence=2),
        PatientErased(organization_id="org_a", patient_id=uuid4(), cliniko_patient_id="1", user_id="user_1"),
        upcoming(patient_id=2, sequence=1),
    )
    assert (await analytics.summary("org_a", NOW))["active_patients"] == 0


async def test_what_sync_announced_in_a_time_that_is_undone_is_left_and_an_erasure_is_not(
    analytics: Analytics,
) -> None:
    undone = "INSERT INTO undone_times VALUES (now() - interval '1 minute', now())"
    async with analytics.database.transaction() as connection:
        await connection.execute(text(undone))
    before, since = ({"occurred_at": datetime.now(UTC) - timedelta(seconds=seconds)} for seconds in (90, 30))
    known, unknown = page(patient(1), patient(2)), page(patient(3))
    erased = PatientErased.model_validate(
        {**since, "organization_id": "org_a", "patient_id": uuid4(), "cliniko_patient_id": "2", "user_id": "user_1"}
    )
    await analytics.receive(known.model_copy(update=before), unknown.model_copy(update=since), erased)
    assert (await analytics.summary("org_a", NOW))["total_patients"] == 1
    await analytics.receive(page(patient(3)))
    assert (await analytics.summary("org_a", NOW))["total_patients"] == 2
