"""Which lists of Cliniko a run walks, in which step, and what becomes of their rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    Batch,
    PatientsSynced,
    PractitionersSynced,
    SyncMode,
)
from contracts.records import Record
from sync.domain import mapping
from sync.domain.clinic import Json

BASIC_REACH = timedelta(days=30)


@dataclass(frozen=True)
class Kind:
    """A kind of record: the name its landed rows carry, how a row is read, and the event that announces it."""

    name: str
    read: Callable[[Json], Record]
    event: type[Batch]


@dataclass(frozen=True)
class Walk:
    """One list, page by page. `filters` lift Cliniko's exclusions, so that archived and cancelled rows are seen."""

    kind: Kind
    path: str
    filters: tuple[str, ...] = ()

    @property
    def envelope_key(self) -> str:
        """The key of the rows in the answer: the first part of the path."""
        return self.path.partition("/")[0]


PATIENTS = Kind("patients", mapping.patient, PatientsSynced)
APPOINTMENTS = Kind("appointments", mapping.appointment, AppointmentsSynced)
APPOINTMENT_TYPES = Kind("appointment_types", mapping.appointment_type, AppointmentTypesSynced)
PRACTITIONERS = Kind("practitioners", mapping.practitioner, PractitionersSynced)
KINDS = (PATIENTS, APPOINTMENTS, APPOINTMENT_TYPES, PRACTITIONERS)

REFERENCE_WALKS = (
    Walk(APPOINTMENT_TYPES, "appointment_types", ("archived_at:*",)),
    Walk(PRACTITIONERS, "practitioners"),
    Walk(PRACTITIONERS, "practitioners/inactive"),
)
PATIENT_WALK = Walk(PATIENTS, "patients", ("archived_at:*",))
APPOINTMENT_FILTERS = ("archived_at:*", "cancelled_at:*", "deleted_at:*")


def appointment_walks(mode: SyncMode, started_at: datetime) -> tuple[Walk, ...]:
    """All appointments; for `basic` those from 30 days before the run onward; none for `patients-only`."""
    if mode == "patients-only":
        return ()
    since = f"starts_at:>={(started_at - BASIC_REACH).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    filters = (*APPOINTMENT_FILTERS, since) if mode == "basic" else APPOINTMENT_FILTERS
    return (Walk(APPOINTMENTS, "individual_appointments", filters),)
