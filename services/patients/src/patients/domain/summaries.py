"""Figures over the active patients of one clinic."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ActiveSummary:
    """Averages are per active patient, to one decimal."""

    total_active_patients: int
    patients_with_recent_appointments: int
    patients_with_upcoming_appointments: int
    avg_recent_appointments: float
    avg_total_appointments: float
    last_sync_date: datetime | None


@dataclass(frozen=True)
class TypesSummary:
    """The patients who share a next and a primary type; None where they have none."""

    next_appointment_type: str | None
    primary_appointment_type: str | None
    patient_count: int
    patients_with_upcoming: int
    earliest_upcoming: datetime | None
    latest_upcoming: datetime | None
