"""The shapes of the answers; those with patients are described here and sent as PostgreSQL wrote them."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.timestamps import Moment
from patients.entrypoints import examples


class Appointment(BaseModel):
    """One that counts: not cancelled, archived or deleted."""

    id: str
    date: Moment
    type: str | None
    notes: str | None
    practitioner: str | None
    ends_at: Moment | None
    status: Literal["booked", "arrived", "did_not_arrive"]


class Patient(BaseModel):
    """A patient as the lists show one."""

    id: UUID
    name: str
    phone: str | None
    email: str | None
    cliniko_patient_id: str
    is_active: bool
    activity_status: Literal["active", "recently_active", "upcoming_only", "inactive"]
    recent_appointment_count: int
    upcoming_appointment_count: int
    total_appointment_count: int
    first_appointment_date: Moment | None
    last_appointment_date: Moment | None
    next_appointment_time: Moment | None
    next_appointment_type: str | None
    primary_appointment_type: str | None
    treatment_notes: str | None
    recent_appointments: list[Appointment]
    upcoming_appointments: list[Appointment]
    last_synced_at: Moment
    created_at: Moment
    updated_at: Moment


class PatientWithUrgency(Patient):
    """A patient, and how soon they come."""

    priority: Literal["high", "medium", "low"]
    hours_until_next_appointment: float | None
    days_until_next_appointment: float | None


class PatientList(BaseModel):
    """`total_count` is the number that match; the next page begins after `next_cursor`, the last page has none."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PATIENT_LIST]})

    organization_id: str
    patients: Sequence[Patient]
    total_count: int
    timestamp: Moment
    next_cursor: str | None


class PatientListWithUrgency(PatientList):
    """The same list with the urgency of each patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PATIENT_LIST_WITH_URGENCY]})

    patients: Sequence[PatientWithUrgency]


class PatientListOfType(PatientList):
    """The patients whose next or primary appointment type this is."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PATIENT_LIST_OF_TYPE]})

    appointment_type: str


class ActivePatients(BaseModel):
    """Averages are per active patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACTIVE_PATIENTS]})

    organization_id: str
    total_active_patients: int
    patients_with_recent_appointments: int
    patients_with_upcoming_appointments: int
    avg_recent_appointments: float
    avg_total_appointments: float
    last_sync_date: Moment | None
    timestamp: Moment


class TypesGroup(BaseModel):
    """Active patients who share a next and a primary appointment type."""

    next_appointment_type: str | None
    primary_appointment_type: str | None
    patient_count: int
    patients_with_upcoming: int
    earliest_upcoming: Moment | None
    latest_upcoming: Moment | None


class TypesGroups(BaseModel):
    """The largest group first; `total_types` is the number of groups."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.TYPES_GROUPS]})

    organization_id: str
    appointment_types: list[TypesGroup]
    total_types: int
    timestamp: Moment


class KeptPatient(BaseModel):
    """A patient as Routiq keeps one, listed or not."""

    id: UUID
    cliniko_patient_id: str
    name: str
    phone: str | None
    email: str | None
    archived_at: Moment | None = None
    deleted_at: Moment | None = None
    merged_at: Moment | None = None
    created_at: Moment
    updated_at: Moment


class KeptAppointment(BaseModel):
    """An appointment as Routiq keeps one, whether it counts or not."""

    id: str
    starts_at: Moment
    ends_at: Moment | None
    type: str | None
    practitioner: str | None
    notes: str | None
    patient_arrived: bool
    did_not_arrive: bool
    cancelled_at: Moment | None = None
    archived_at: Moment | None = None
    deleted_at: Moment | None = None
    created_at: Moment


class Dossier(BaseModel):
    """Everything that Routiq keeps of one patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DOSSIER]})

    organization_id: str
    patient: KeptPatient
    appointments: list[KeptAppointment]
    timestamp: Moment


class Erasure(BaseModel):
    """What became of the wish to erase a patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ERASURE]})

    success: bool
    message: str
    organization_id: str
    patient_id: UUID
    timestamp: Moment
