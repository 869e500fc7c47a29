"""What analytics keeps of a record: nothing that names or reaches a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contracts.records import AppointmentRecord, PatientRecord

AppointmentState = Literal["booked", "arrived", "missed", "cancelled", "removed"]

COUNTED: frozenset[AppointmentState] = frozenset({"booked", "arrived", "missed"})
"""A missed appointment counts: it happened to the clinic."""


@dataclass(frozen=True, slots=True)
class PatientFact:
    """A patient, and whether the clinic still lists them."""

    cliniko_patient_id: str
    listed: bool
    created_at: datetime
    updated_at: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class AppointmentFact:
    """When an appointment is, whose it is, and what became of it."""

    cliniko_appointment_id: str
    cliniko_patient_id: str
    appointment_type_id: str | None
    practitioner_id: str | None
    starts_at: datetime
    state: AppointmentState
    counted: bool
    created_at: datetime
    cancelled_at: datetime | None
    updated_at: datetime
    sequence: int


def patient_fact(record: PatientRecord) -> PatientFact:
    """Archived, deleted and merged patients are kept, but not listed."""
    return PatientFact(
        cliniko_patient_id=record.cliniko_patient_id,
        listed=not (record.archived_at or record.deleted_at or record.merged_at),
        created_at=record.created_at,
        updated_at=record.updated_at,
        sequence=record.sequence,
    )


def appointment_fact(record: AppointmentRecord) -> AppointmentFact:
    """Cancelled, archived and deleted appointments are kept, but not counted."""
    state = state_of(record)
    return AppointmentFact(
        cliniko_appointment_id=record.cliniko_appointment_id,
        cliniko_patient_id=record.cliniko_patient_id,
        appointment_type_id=record.appointment_type_id,
        practitioner_id=record.practitioner_id,
        starts_at=record.starts_at,
        state=state,
        counted=state in COUNTED,
        created_at=record.created_at,
        cancelled_at=record.cancelled_at,
        updated_at=record.updated_at,
        sequence=record.sequence,
    )


def state_of(record: AppointmentRecord) -> AppointmentState:
    """The one state that says most, for Cliniko may set several marks at once."""
    if record.archived_at or record.deleted_at:
        return "removed"
    if record.cancelled_at:
        return "cancelled"
    if record.did_not_arrive:
        return "missed"
    return "arrived" if record.patient_arrived else "booked"
