"""Every answer but the plain list, computed from that list one patient at a time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.patients.tests.slow import History, Json, name, phone

from contracts.events import SyncRunChanged
from contracts.records import AppointmentRecord
from contracts.timestamps import iso
from patients.domain.patient import patient_id

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
NO_CELLS = ("recent_appointments", "upcoming_appointments")


def searched(patients: Iterable[Json], asked: str) -> list[Json]:
    """Those of whom a name, an address or a number holds what is asked for."""
    wanted = asked.strip().lower()
    if any(one.isdigit() for one in wanted) and all(one in "0123456789 +().-/" for one in wanted):
        digits = "".join(one for one in wanted if one.isdigit())
        wanted = ("+" if wanted.strip(" ().-/").startswith("+") else "") + digits
    held = ("name", "email", "phone")
    return [one for one in patients if any(wanted in (one[key] or "").lower() for key in held)]


def of_type(patients: Iterable[Json], kind: str) -> list[Json]:
    """Those whose next or primary type it is."""
    return [one for one in patients if kind in (one["next_appointment_type"], one["primary_appointment_type"])]


def with_urgency(patients: Iterable[Json], now: datetime, starts: dict[str, datetime]) -> list[Json]:
    """With how soon each comes; `starts` has the next appointment of those who do, to the microsecond."""
    return [{**one, **_urgency(starts.get(one["cliniko_patient_id"]), now)} for one in patients]


def _urgency(starts_at: datetime | None, now: datetime) -> Json:
    if starts_at is None:
        return {"priority": "low", "hours_until_next_appointment": None, "days_until_next_appointment": None}
    wait = starts_at - now
    return {
        "priority": "high" if wait <= DAY else "medium" if wait <= 3 * DAY else "low",
        "hours_until_next_appointment": round(wait / HOUR, 1),
        "days_until_next_appointment": round(wait / DAY, 1),
    }


def active_summary(history: History, active: list[Json]) -> Json:
    """`active` are the active patients."""
    last_sync = max((iso(moment) for moment in _completed(history)), default=None)
    return {**active_figures(active), "last_sync_date": last_sync}


def active_figures(active: list[Json]) -> Json:
    """What follows from the active patients alone."""
    return {
        "total_active_patients": len(active),
        "patients_with_recent_appointments": sum(1 for one in active if one["recent_appointment_count"]),
        "patients_with_upcoming_appointments": sum(1 for one in active if one["upcoming_appointment_count"]),
        "avg_recent_appointments": _average([one["recent_appointment_count"] for one in active]),
        "avg_total_appointments": _average([one["total_appointment_count"] for one in active]),
    }


def _completed(history: History) -> Iterable[datetime]:
    for event in history.events:
        if isinstance(event, SyncRunChanged) and event.status == "completed" and event.completed_at:
            yield event.completed_at


def _average(counts: list[int]) -> float:
    mean = Decimal(sum(counts)) / len(counts) if counts else Decimal(0)
    return float(mean.quantize(Decimal("0.1"), ROUND_HALF_UP))


def types_summary(active: list[Json]) -> list[Json]:
    """The largest group first, of equals by the names of their types, none last."""
    keys = ("next_appointment_type", "primary_appointment_type")
    groups: dict[tuple[Any, ...], list[Json]] = {}
    for one in active:
        groups.setdefault(tuple(one[key] for key in keys), []).append(one)
    told = []
    for types, members in groups.items():
        upcoming = sorted(one["next_appointment_time"] for one in members if one["next_appointment_time"])
        ends = {"earliest_upcoming": next(iter(upcoming), None), "latest_upcoming": next(reversed(upcoming), None)}
        counts = {"patient_count": len(members), "patients_with_upcoming": len(upcoming)}
        told.append({**dict(zip(keys, types, strict=True)), **counts, **ends})
    none_last = [[(one[key] is None, one[key] or "") for key in keys] for one in told]
    order = sorted(range(len(told)), key=lambda at: (-told[at]["patient_count"], none_last[at]))
    return [told[at] for at in order]


def file(patients: Iterable[Json]) -> list[dict[str, str]]:
    """The lines of a CSV file by their column."""
    return [{key: _cell(value) for key, value in one.items() if key not in NO_CELLS} for one in patients]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def dossier(history: History, cliniko_patient_id: str) -> Json:
    """Everything that is kept of a patient, listed or not."""
    record, landed = history.patients[cliniko_patient_id]
    own = [one for one, _ in history.appointments.values() if one.cliniko_patient_id == cliniko_patient_id]
    kept = [_kept(history, one) for one in own]
    return {
        "patient": {
            "id": str(patient_id(history.events[0].organization_id, cliniko_patient_id)),
            "cliniko_patient_id": cliniko_patient_id,
            "name": name(record),
            "phone": phone(record),
            "email": (record.email or "").strip() or None,
            **_moments(record, "archived_at", "deleted_at", "merged_at", "created_at"),
            "updated_at": iso(landed),
        },
        "appointments": sorted(kept, key=lambda one: (one["starts_at"], one["id"])),
    }


def _kept(history: History, one: AppointmentRecord) -> Json:
    return {
        "id": one.cliniko_appointment_id,
        "type": history.types.get(str(one.appointment_type_id)),
        "practitioner": history.practitioners.get(str(one.practitioner_id)),
        "notes": one.notes if (one.notes or "").strip() else None,
        "patient_arrived": one.patient_arrived,
        "did_not_arrive": one.did_not_arrive,
        **_moments(one, "starts_at", "ends_at", "cancelled_at", "archived_at", "deleted_at", "created_at"),
    }


def _moments(record: Any, *names: str) -> Json:
    found = {key: getattr(record, key) for key in names}
    return {key: iso(moment) if moment else None for key, moment in found.items()}
