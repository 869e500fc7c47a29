"""What a history says at a moment, computed by each definition, one patient and one day after another."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from services.analytics.tests.histories import DAY, NOW, History, last_states, listed, names, remaining

from analytics.domain.periods import DAYS, Timeframe
from contracts.records import AppointmentRecord
from contracts.timestamps import iso

METRICS = ("bookings", "appointments", "cancellations", "no_shows", "new_patients", "active_patients")
LEVELS = ("low", "medium", "high")
Happened = tuple[str, date, str, str | None, str | None]
"""What, when, to which patient, of which type, with whom."""


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
        **_sync_state(history, len(rows)),
    }


def _sync_state(history: History, listed: int) -> dict[str, Any]:
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


def slow_activity(history: History, now: datetime = NOW) -> list[dict[str, Any]]:
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
            "records_success": run.records_success,
            "records_failed": run.records_failed,
            "started_at": iso(run.started_at),
            "completed_at": iso(run.completed_at) if run.completed_at else None,
            "activity_type": "sync",
            "description": described[run.mode][1],
            "minutes_ago": max(0, round((now - (run.completed_at or run.started_at)) / timedelta(minutes=1), 1)),
        }
        for run in last_states(history)
    ]


def slow_documents(history: History, timeframe: Timeframe, today: date) -> dict[str, Any]:
    """Every day looked at by itself."""
    days = [today - timedelta(days=age) for age in range(2 * DAYS[timeframe])]
    current, previous = days[: DAYS[timeframe]], days[DAYS[timeframe] :]
    everything = list(happened(history))
    step = 1 if timeframe in ("7d", "30d") else 7
    return {
        "timeframe": timeframe,
        "granularity": "day" if step == 1 else "week",
        "period": span(current),
        "previous_period": span(previous),
        "totals": compared(everything, current, previous),
        "points": [
            {**compared(everything, current[age : age + step], previous[age : age + step]),
             **span(current[age : age + step])}
            for age in reversed(range(0, len(current), step))
        ],
        "by_appointment_type": shares(everything, 3, current, previous, names(history.types)),
        "by_practitioner": shares(everything, 4, current, previous, names(history.practitioners)),
    }  # fmt: skip


def happened(history: History) -> Iterable[Happened]:
    ids = set()
    for patient in listed(history):
        ids.add(patient.cliniko_patient_id)
        yield "new_patients", patient.created_at.date(), patient.cliniko_patient_id, None, None
    for one in remaining(history):
        if one.cliniko_patient_id in ids:
            whose = one.cliniko_patient_id, one.appointment_type_id, one.practitioner_id
            yield "bookings", one.created_at.date(), *whose
            if one.cancelled_at:
                yield "cancellations", one.cancelled_at.date(), *whose
                continue
            yield "appointments", one.starts_at.date(), *whose
            yield "active_patients", one.starts_at.date(), *whose
            if one.did_not_arrive:
                yield "no_shows", one.starts_at.date(), *whose


def span(days: list[date]) -> dict[str, str]:
    return {"first_day": days[-1].isoformat(), "last_day": days[0].isoformat()}


def counts(everything: Iterable[Happened], days: list[date]) -> Counter[str]:
    found = [one for one in everything if one[1] in days]
    counted = Counter(one[0] for one in found)
    counted["active_patients"] = len({one[2] for one in found if one[0] == "active_patients"})
    return counted


def compared(everything: Iterable[Happened], current: list[date], previous: list[date]) -> dict[str, Any]:
    now, before = counts(everything, current), counts(everything, previous)
    return {
        metric: {
            "current": now[metric],
            "previous": before[metric],
            "change_percentage": round(100 * (now[metric] - before[metric]) / before[metric], 1)
            if before[metric]
            else None,
        }
        for metric in METRICS
    }


def shares(
    everything: list[Happened], key: int, current: list[date], previous: list[date], known: dict[str, str]
) -> list[dict[str, Any]]:
    those = [one for one in everything if one[0] != "new_patients" and one[1] in current + previous]
    told = []
    for identity in sorted({one[key] for one in those}, key=lambda identity: identity or ""):
        numbers = compared([one for one in those if one[key] == identity], current, previous)
        del numbers["new_patients"]
        told.append({"id": identity, "name": known.get(str(identity)), **numbers})
    return sorted(told, key=lambda share: -share["appointments"]["current"])


def slow_patients(history: History, now: datetime) -> list[dict[str, Any]]:
    """Who may not return, the highest risk first, of equals whoever was seen last."""
    found = []
    for patient in listed(history):
        own = [one for one in remaining(history) if one.cliniko_patient_id == patient.cliniko_patient_id]
        if told := slow_patient(own, now):
            found.append({"cliniko_patient_id": patient.cliniko_patient_id, **told})
    order = [(("lost", *LEVELS).index(one["risk"]), one["last_visit_at"], one["cliniko_patient_id"]) for one in found]
    found = [found[at] for at in sorted(range(len(found)), key=order.__getitem__, reverse=True)]
    return [{**one, "last_visit_at": iso(one["last_visit_at"])} for one in found]


def slow_patient(own: list[AppointmentRecord], now: datetime) -> dict[str, Any] | None:
    """None when the patient is not told."""
    visits = sorted(a.starts_at for a in own if a.starts_at <= now and not a.cancelled_at and not a.did_not_arrive)
    if not visits or any(a.starts_at > now and not a.cancelled_at for a in own):
        return None
    last, interval = visits[-1], 30
    if len(visits) > 1:
        mean = (last - visits[0]) / (len(visits) - 1)
        interval = min(120, max(7, int((mean + DAY / 2) // DAY)))
    slips = [
        (a.starts_at, a.cancelled_at is None)
        for a in own
        if a.starts_at > last and (a.cancelled_at or a.did_not_arrive)
    ]
    passed = [now - last >= interval * DAY, now - last >= 2 * interval * DAY].count(True)
    reasons = [("no_appointment_booked", "usual_interval_passed", "usual_interval_passed_twice")[passed]]
    risk = LEVELS[min(2, passed + bool(slips))]
    if now - last >= 365 * DAY:
        risk, reasons = "lost", ["not_seen_for_a_year"]
    if slips:
        reasons.append("last_appointment_missed" if max(slips)[1] else "last_appointment_cancelled")
    counts = {"visits": len(visits), "days_since_last_visit": (now - last) // DAY, "usual_interval_days": interval}
    return {"risk": risk, "reasons": reasons, "last_visit_at": last, **counts}
