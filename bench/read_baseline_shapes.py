"""The baseline's answers, and how a patient's is computed from the appointments that were loaded with them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from contracts.timestamps import Moment
from read_baseline_tables import Appointment, Patient

RECENT = timedelta(days=30)
MOST_SHOWN = 50
NEVER = 1e18
"""Seconds: where patients without an appointment stand."""

Place = tuple[float, float, str, UUID]
PLACE = TypeAdapter(Place)


class AppointmentOut(BaseModel):
    id: str
    date: Moment
    type: str
    notes: str | None
    practitioner: str
    ends_at: Moment | None
    status: str

    @classmethod
    def of(cls, one: Appointment) -> Self:
        return cls(
            id=str(one.id),
            date=one.starts_at,
            type=one.type.name,
            notes=one.notes,
            practitioner=one.practitioner.name,
            ends_at=one.ends_at,
            status="did_not_arrive" if one.did_not_arrive else "arrived" if one.patient_arrived else "booked",
        )


class PatientOut(BaseModel):
    id: UUID
    name: str
    phone: str | None
    email: str | None
    cliniko_patient_id: str
    is_active: bool
    activity_status: str
    recent_appointment_count: int
    upcoming_appointment_count: int
    total_appointment_count: int
    first_appointment_date: Moment | None
    last_appointment_date: Moment | None
    next_appointment_time: Moment | None
    next_appointment_type: str | None
    primary_appointment_type: str | None
    treatment_notes: str | None
    recent_appointments: list[AppointmentOut]
    upcoming_appointments: list[AppointmentOut]
    last_synced_at: Moment
    created_at: Moment
    updated_at: Moment


class PatientWithUrgencyOut(PatientOut):
    priority: str
    hours_until_next_appointment: float | None
    days_until_next_appointment: float | None


class PatientListOut(BaseModel):
    organization_id: str
    patients: Sequence[PatientOut]
    total_count: int
    timestamp: Moment


class UrgentListOut(PatientListOut):
    patients: Sequence[PatientWithUrgencyOut]


class SummaryOut(BaseModel):
    organization_id: str
    total_patients: int
    active_patients: int
    patients_with_upcoming: int
    patients_with_recent: int
    total_upcoming_appointments: int
    total_recent_appointments: int
    total_all_appointments: int
    avg_upcoming_per_patient: float
    avg_recent_per_patient: float
    avg_total_per_patient: float
    engagement_rate: float
    last_sync_time: Moment | None
    generated_at: Moment


def patient_out(patient: Patient, full_sweep_at: datetime, now: datetime) -> PatientOut:
    """`patient.appointments` are the counted ones, the earliest first."""
    counted = patient.appointments
    past = [one for one in counted if one.starts_at <= now]
    upcoming = [one for one in counted if one.starts_at > now]
    recent = [one for one in past if one.starts_at >= now - RECENT]
    types = Counter(one.type.name for one in counted)
    latest = {one.type.name: one.starts_at for one in counted}
    return PatientOut(
        id=patient.uuid,
        name=patient.name,
        phone=patient.phone,
        email=patient.email,
        cliniko_patient_id=str(patient.id),
        is_active=bool(recent or upcoming),
        activity_status=_STATUS[bool(recent), bool(upcoming)],
        recent_appointment_count=len(recent),
        upcoming_appointment_count=len(upcoming),
        total_appointment_count=len(counted),
        first_appointment_date=counted[0].starts_at if counted else None,
        last_appointment_date=past[-1].starts_at if past else None,
        next_appointment_time=upcoming[0].starts_at if upcoming else None,
        next_appointment_type=upcoming[0].type.name if upcoming else None,
        primary_appointment_type=max(sorted(types), key=lambda name: (types[name], latest[name]), default=None),
        treatment_notes=next((one.notes for one in reversed(counted) if one.notes), None),
        recent_appointments=[AppointmentOut.of(one) for one in recent[: -MOST_SHOWN - 1 : -1]],
        upcoming_appointments=[AppointmentOut.of(one) for one in upcoming[:MOST_SHOWN]],
        last_synced_at=max(patient.changed_at, full_sweep_at),
        created_at=patient.created_at,
        updated_at=patient.changed_at,
    )


_STATUS = {
    (True, True): "active",
    (True, False): "recently_active",
    (False, True): "upcoming_only",
    (False, False): "inactive",
}


def with_urgency(patient: PatientOut, now: datetime) -> PatientWithUrgencyOut:
    next_at = patient.next_appointment_time
    hours = None if next_at is None else (next_at - now) / timedelta(hours=1)
    return PatientWithUrgencyOut(
        **dict(patient),
        priority="low" if hours is None or hours > 72 else "medium" if hours > 24 else "high",
        hours_until_next_appointment=None if hours is None else round(hours, 1),
        days_until_next_appointment=None if hours is None else round(hours / 24, 1),
    )


def place(patient: Mapping[str, Any]) -> str:
    """Where a patient of an answer stands in the order of the list, as a `Place` in JSON."""

    def epoch(key: str, sign: int) -> float:
        return sign * datetime.fromisoformat(patient[key]).timestamp() if patient[key] else NEVER

    next_at, last_at = epoch("next_appointment_time", 1), epoch("last_appointment_date", -1)
    return PLACE.dump_json((next_at, last_at, patient["name"].lower(), UUID(patient["id"]))).decode()
