"""Any history of a clinic, delivered in any order and with repeats, against a slow computation of the same."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.analytics.tests.conftest import Analytics

from contracts.base import Event
from contracts.events import AppointmentsSynced, ConnectionChanged, PatientsSynced, RecordsRemoved, SyncRunChanged
from contracts.records import AppointmentRecord, PatientRecord, Record, Removal
from contracts.timestamps import iso

R = TypeVar("R", bound=Record)

NOW = datetime(2025, 6, 30, 12, tzinfo=UTC)
TICK, DAY = timedelta(microseconds=1), timedelta(days=1)
EDGES = (NOW, NOW - TICK, NOW + TICK, NOW - 30 * DAY, NOW - 30 * DAY - TICK, NOW - 30 * DAY + TICK)
CLINICS = count()
"""Numbers for a new clinic per example: the database outlives them."""

moments = st.sampled_from([*EDGES, NOW - 200 * DAY, NOW - 3 * DAY, NOW + 3 * DAY])
marks = st.sampled_from([None, None, None, NOW])
versions = {"created_at": st.just(NOW), "updated_at": st.sampled_from([NOW - n * DAY for n in range(3)])}
patient_states = st.fixed_dictionaries(
    {**versions, "cliniko_patient_id": st.sampled_from("12345"), "archived_at": marks, "merged_at": marks}
)
appointment_states = st.fixed_dictionaries(
    {
        **versions,
        "cliniko_appointment_id": st.sampled_from("12345678"),
        "cliniko_patient_id": st.sampled_from("123456"),
        "starts_at": moments,
        "did_not_arrive": st.booleans(),
        "cancelled_at": marks,
        "deleted_at": marks,
    }
)
run_states = st.fixed_dictionaries(
    {
        "number": st.integers(0, 3),
        "status": st.sampled_from(["queued", "running", "completed", "failed", "cancelled"]),
        "mode": st.sampled_from(["comprehensive", "basic", "patients-only", "incremental"]),
        "records_processed": st.integers(0, 900),
        "patients_reported": st.one_of(st.none(), st.integers(0, 6)),
    }
)
connection_states = st.fixed_dictionaries({"connected": st.booleans(), "credentials_valid": st.booleans()})


@dataclass(frozen=True)
class History:
    """Everything a clinic's services ever announced, in the order in which it happened."""

    organization_id: str
    patients: list[PatientRecord]
    appointments: list[AppointmentRecord]
    removals: list[RecordsRemoved]
    runs: list[SyncRunChanged]
    connections: list[ConnectionChanged]

    def events(self, page: int) -> list[Event]:
        batch = {"organization_id": self.organization_id, "sync_id": None}
        return [
            *(PatientsSynced.model_validate({**batch, "records": cut}) for cut in _pages(self.patients, page)),
            *(AppointmentsSynced.model_validate({**batch, "records": cut}) for cut in _pages(self.appointments, page)),
            *self.removals,
            *self.runs,
            *self.connections,
        ]


def _pages(records: list[R], size: int) -> Iterable[list[R]]:
    return (records[start : start + size] for start in range(0, len(records), size))


@st.composite
def histories(draw: st.DrawFn) -> History:
    clinic = {"organization_id": f"org_{next(CLINICS)}"}
    patients = draw(st.lists(patient_states, max_size=12))
    appointments = draw(st.lists(appointment_states, max_size=25))
    removals = draw(st.lists(st.tuples(st.integers(0, 25), st.sampled_from("12345")), max_size=4))
    runs = draw(st.lists(run_states, max_size=6))
    connections = draw(st.lists(connection_states, max_size=3))
    return History(
        clinic["organization_id"],
        [PatientRecord.model_validate({**state, "sequence": 2 * n}) for n, state in enumerate(patients)],
        [AppointmentRecord.model_validate({**state, "sequence": 2 * n}) for n, state in enumerate(appointments)],
        [_removal(clinic, at, identity) for at, identity in removals],
        [_run(clinic, revision, state) for revision, state in enumerate(runs)],
        [ConnectionChanged.model_validate({**clinic, **s, "revision": n}) for n, s in enumerate(connections)],
    )


def _removal(clinic: dict[str, str], at: int, identity: str) -> RecordsRemoved:
    """Between two states: the states have even sequences."""
    gone = (Removal(cliniko_id=identity, sequence=2 * at + 1),)
    return RecordsRemoved.model_validate({**clinic, "sync_id": None, "patients": gone, "appointments": gone})


def _run(clinic: dict[str, str], revision: int, state: dict[str, Any]) -> SyncRunChanged:
    started = NOW - state["number"] * timedelta(minutes=61)
    ended = state["status"] in {"completed", "failed", "cancelled"}
    times = {"started_at": started, "completed_at": started + timedelta(minutes=6.25) if ended else None}
    ids = {"sync_id": f"sync_{state['number']}", "revision": revision, "full_sweep": True}
    return SyncRunChanged.model_validate({**clinic, **ids, **times, **state})


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), page=st.integers(1, 10), repeats=st.integers(0, 3), order=st.randoms(use_true_random=False))
async def test_the_dashboard_equals_a_slow_computation_in_whatever_order_events_come(
    analytics: Analytics, history: History, page: int, repeats: int, order: random.Random
) -> None:
    events = history.events(page)
    events += [_again(event) for event in events[:repeats]]
    order.shuffle(events)

    await analytics.receive(*events, *events[:repeats])

    assert await analytics.summary(history.organization_id, NOW) == slow_summary(history)
    assert await analytics.activity(history.organization_id, NOW) == slow_activity(history)


def _again(event: Event) -> Event:
    """The same content under a new id: what a full sweep may send anew, past the inbox."""
    fresh = event.model_dump()
    del fresh["event_id"]
    return type(event).model_validate(fresh)


def slow_summary(history: History) -> dict[str, Any]:
    """Every figure by its definition, one patient after another."""
    appointments = [
        a
        for a in newest(history.appointments, "cliniko_appointment_id", history.removals)
        if not (a.cancelled_at or a.archived_at or a.deleted_at)
    ]
    rows = []
    for patient in newest(history.patients, "cliniko_patient_id", history.removals):
        if patient.archived_at or patient.deleted_at or patient.merged_at:
            continue
        starts = [a.starts_at for a in appointments if a.cliniko_patient_id == patient.cliniko_patient_id]
        recent = [start for start in starts if timedelta() <= NOW - start <= timedelta(days=30)]
        rows.append((len(starts), len(recent), len([start for start in starts if start > NOW])))
    active = [row for row in rows if row[1] or row[2]]
    averages = [round(sum(row[n] for row in active) / len(active), 2) if active else 0 for n in range(3)]
    return {
        "organization_id": history.organization_id,
        "generated_at": iso(NOW),
        "total_patients": len(rows),
        "synced_patients": len(rows),
        "active_patients": len(active),
        "patients_with_recent": len([row for row in rows if row[1]]),
        "patients_with_upcoming": len([row for row in rows if row[2]]),
        "total_all_appointments": sum(row[0] for row in rows),
        "total_recent_appointments": sum(row[1] for row in rows),
        "total_upcoming_appointments": sum(row[2] for row in rows),
        "avg_total_per_patient": averages[0],
        "avg_recent_per_patient": averages[1],
        "avg_upcoming_per_patient": averages[2],
        "engagement_rate": round(100 * len(active) / len(rows), 1) if rows else 0,
        "activity_status": "Active" if active else "Inactive",
        **_slow_sync_state(history, len(rows)),
    }


def _slow_sync_state(history: History, listed: int) -> dict[str, Any]:
    runs = last_states(history)
    completed = [run for run in runs if run.status == "completed"]
    reported = [run.patients_reported for run in runs if run.patients_reported is not None]
    outcomes = [run.status for run in runs if run.status in {"completed", "failed"}]
    status = "Not Connected"
    if history.connections and history.connections[-1].connected:
        works = history.connections[-1].credentials_valid and outcomes[:1] == ["completed"]
        status = "Connected" if works else "Partial"
    return {
        "last_sync_time": iso(completed[0].completed_at) if completed and completed[0].completed_at else None,
        "sync_percentage": min(100, round(100 * listed / reported[0], 1)) if reported and reported[0] else 0,
        "integration_status": status,
    }


def slow_activity(history: History) -> list[dict[str, Any]]:
    """Every run as it was last announced."""
    described = {
        "comprehensive": ("comprehensive_sync", "Comprehensive patient and appointment sync"),
        "basic": ("basic_sync", "Basic patient and appointment sync"),
        "patients-only": ("patients_only_sync", "Patients-only sync"),
        "incremental": ("incremental_sync", "Incremental patient and appointment sync"),
    }
    return [
        {
            "id": run.sync_id,
            "source_system": "cliniko",
            "operation_type": described[run.mode][0],
            "status": run.status,
            "records_processed": run.records_processed,
            "records_success": 0,
            "records_failed": 0,
            "started_at": iso(run.started_at),
            "completed_at": iso(run.completed_at) if run.completed_at else None,
            "activity_type": "sync",
            "description": described[run.mode][1],
            "minutes_ago": max(0, round((NOW - (run.completed_at or run.started_at)) / timedelta(minutes=1), 1)),
        }
        for run in last_states(history)
    ]


def newest(records: list[R], identity: str, removals: list[RecordsRemoved]) -> list[R]:
    """The state of each id with the highest sequence, where that is no removal."""
    last = {getattr(state, identity): state for state in sorted(records, key=lambda state: state.sequence)}
    gone = {(one.cliniko_id, one.sequence) for event in removals for one in event.patients}
    return [state for key, state in last.items() if not any(name == key and at > state.sequence for name, at in gone)]


def last_states(history: History) -> list[SyncRunChanged]:
    """Runs in their last state, the one started last first."""
    last = {run.sync_id: run for run in history.runs}
    return sorted(last.values(), key=lambda run: run.started_at, reverse=True)
