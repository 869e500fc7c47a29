"""Any history of a clinic, delivered in any order and with repeats, against a slow computation of the same."""

import random
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.analytics.tests.conftest import Analytics
from services.analytics.tests.histories import (
    DAY,
    EDGES,
    NOW,
    History,
    again,
    histories,
    last_states,
    listed,
    moments,
    remaining,
)

from contracts.timestamps import iso


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories(),
    page=st.integers(1, 10),
    repeats=st.integers(0, 3),
    order=st.randoms(use_true_random=False),
    clock=st.lists(st.one_of(moments, st.sampled_from([edge + 30 * DAY for edge in EDGES])), max_size=4),
)
async def test_the_dashboard_equals_a_slow_computation_in_whatever_order_events_come_and_whenever_it_is_read(
    analytics: Analytics, history: History, page: int, repeats: int, order: random.Random, clock: list[datetime]
) -> None:
    events = history.events(page)
    events += [again(event) for event in events[:repeats]]
    order.shuffle(events)
    read_between = order.randint(0, len(events))

    await analytics.receive(*events[:read_between])
    await analytics.summary(history.organization_id, order.choice([NOW, *clock]))
    await analytics.receive(*events[read_between:], *events[:repeats])

    for now in [*clock, NOW]:
        assert await analytics.summary(history.organization_id, now) == slow_summary(history, now)
    assert await analytics.activity(history.organization_id, NOW) == slow_activity(history)


def slow_summary(history: History, now: datetime) -> dict[str, Any]:
    """Every figure by its definition, one patient after another."""
    appointments = [a for a in remaining(history) if not a.cancelled_at]
    rows = []
    for patient in listed(history):
        starts = [a.starts_at for a in appointments if a.cliniko_patient_id == patient.cliniko_patient_id]
        recent = [start for start in starts if timedelta() <= now - start <= timedelta(days=30)]
        rows.append((len(starts), len(recent), len([start for start in starts if start > now])))
    active = [row for row in rows if row[1] or row[2]]
    averages = [round(sum(row[n] for row in active) / len(active), 2) if active else 0 for n in range(3)]
    return {
        "organization_id": history.organization_id,
        "generated_at": iso(now),
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
