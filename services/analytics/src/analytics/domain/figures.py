"""A clinic in figures at one moment, and how the figures follow from each other."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

RECENT = timedelta(days=30)
"""An appointment is recent until it started this long ago, that moment included. Hours, whatever clocks change."""

IntegrationStatus = Literal["Connected", "Partial", "Not Connected"]
ActivityStatus = Literal["Active", "Inactive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts over the listed patients and their counted appointments, and how the clinic's syncs stand."""

    organization_id: str
    generated_at: datetime
    total_patients: int
    active_patients: int
    patients_with_upcoming: int
    patients_with_recent: int
    total_upcoming_appointments: int
    total_recent_appointments: int
    total_all_appointments: int
    appointments_of_active: int
    """Like the total, but of the active patients alone: inactive ones have a past too."""
    connected: bool
    credentials_valid: bool
    last_outcome: Literal["completed", "failed"] | None
    """How the newest run that was not cancelled ended; one under way has no say yet."""
    last_sync_time: datetime | None
    patients_reported: int | None
    """How many patients Cliniko counted when a run last asked."""

    @property
    def avg_upcoming_per_patient(self) -> float:
        """Only active patients have upcoming appointments, so the total is theirs."""
        return _average(self.total_upcoming_appointments, self.active_patients)

    @property
    def avg_recent_per_patient(self) -> float:
        """Only active patients have recent appointments, so the total is theirs."""
        return _average(self.total_recent_appointments, self.active_patients)

    @property
    def avg_total_per_patient(self) -> float:
        """Over active patients, as the other averages."""
        return _average(self.appointments_of_active, self.active_patients)

    @property
    def engagement_rate(self) -> float:
        """Active patients in percent of all."""
        return _percentage(self.active_patients, self.total_patients)

    @property
    def synced_patients(self) -> int:
        """Every listed patient here came through a sync."""
        return self.total_patients

    @property
    def sync_percentage(self) -> float:
        """Patients here in percent of those Cliniko counted; more than all (some were archived since) is all."""
        return min(100.0, _percentage(self.synced_patients, self.patients_reported or 0))

    @property
    def integration_status(self) -> IntegrationStatus:
        """Whether the clinic can rely on these figures being kept current."""
        if not self.connected:
            return "Not Connected"
        return "Connected" if self.credentials_valid and self.last_outcome == "completed" else "Partial"

    @property
    def activity_status(self) -> ActivityStatus:
        """Whether anybody comes."""
        return "Active" if self.active_patients else "Inactive"


def _average(total: int, patients: int) -> float:
    return round(total / patients, 2) if patients else 0.0


def _percentage(part: int, whole: int) -> float:
    return round(part / whole * 100, 1) if whole else 0.0
