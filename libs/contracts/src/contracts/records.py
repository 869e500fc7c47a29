"""One clinic record each, as Cliniko states it, without what no service needs."""

from contracts.base import ClinikoId, Instant, Message


class Record(Message):
    """A state of a record. Of two states the one with the higher `sequence` is newer; a `Removal` is one too."""

    created_at: Instant
    updated_at: Instant
    sequence: int
    """The order in which the sync service accepted the states of this record."""
    landed_at: Instant | None = None
    """When it did; None: when the event occurred."""


class PhoneNumber(Message):
    """A number as typed in Cliniko and the label it was given there."""

    type: str
    number: str


class PatientRecord(Record):
    """A patient; names may be blank, contacts missing."""

    cliniko_patient_id: ClinikoId
    first_name: str = ""
    last_name: str = ""
    email: str | None = None
    phone_numbers: tuple[PhoneNumber, ...] = ()
    archived_at: Instant | None = None
    deleted_at: Instant | None = None
    merged_at: Instant | None = None


class AppointmentRecord(Record):
    """One patient's appointment; type and practitioner may be unknown to Cliniko itself."""

    cliniko_appointment_id: ClinikoId
    cliniko_patient_id: ClinikoId
    appointment_type_id: ClinikoId | None = None
    practitioner_id: ClinikoId | None = None
    starts_at: Instant
    ends_at: Instant | None = None
    notes: str | None = None
    patient_arrived: bool = False
    did_not_arrive: bool = False
    cancelled_at: Instant | None = None
    archived_at: Instant | None = None
    deleted_at: Instant | None = None


class AppointmentTypeRecord(Record):
    """A kind of appointment the clinic offers, or once offered."""

    appointment_type_id: ClinikoId
    name: str
    archived_at: Instant | None = None


class PractitionerRecord(Record):
    """A person of the clinic's staff who sees patients."""

    practitioner_id: ClinikoId
    name: str
    active: bool = True


class Removal(Message):
    """A record that is gone, until a state with a higher `sequence` brings it back."""

    cliniko_id: ClinikoId
    sequence: int
