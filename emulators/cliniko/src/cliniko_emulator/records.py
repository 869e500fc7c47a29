"""What a clinic holds: one plain record per Cliniko resource.

Column names follow a rule that `shape.py` and `wire.py` read: `*_at` are UTC seconds since 1970, with fractions;
`id`, `*_id`, `*_ids` are int64.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Phone(NamedTuple):
    phone_type: str
    number: str
    normalized_number: str | None


@dataclass(slots=True, kw_only=True)
class Record:
    id: int


@dataclass(slots=True, kw_only=True)
class Dated(Record):
    created_at: float
    updated_at: float


@dataclass(slots=True, kw_only=True)
class Tombstone(Record):
    """All that stays of an erased patient."""

    deleted_at: float


@dataclass(slots=True, kw_only=True)
class Patient(Dated):
    first_name: str | None = None
    last_name: str | None = None
    preferred_first_name: str | None = ""
    title: str | None = None
    email: str | None = None
    date_of_birth: str | None = None
    sex: str | None = None
    patient_phone_numbers: tuple[Phone, ...] | None = None
    address_1: str | None = ""
    city: str | None = ""
    state: str | None = ""
    post_code: str | None = ""
    country: str | None = None
    country_code: str | None = None
    occupation: str | None = ""
    notes: str | None = ""
    appointment_notes: str | None = ""
    old_reference_id: str | None = ""
    referral_source: str | None = ""
    reminder_type: str | None = "SMS"
    accepted_privacy_policy: bool | None = None
    accepted_email_marketing: bool | None = None
    accepted_sms_marketing: bool | None = None
    archived_at: float | None = None
    merged_at: float | None = None
    merged_with_patient_id: int | None = None
    latest_booking_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Appointment(Dated):
    starts_at: float
    ends_at: float
    business_id: int | None = None
    patient_id: int | None = None
    practitioner_id: int | None = None
    appointment_type_id: int | None = None
    repeated_from_id: int | None = None
    notes: str | None = None
    patient_arrived: bool | None = False
    did_not_arrive: bool | None = False
    email_reminder_sent: bool | None = False
    sms_reminder_sent: bool | None = False
    invoice_status: int | None = None
    treatment_note_status: int | None = None
    cancellation_reason: int | None = None
    cancellation_reason_description: str | None = ""
    cancellation_note: str | None = None
    cancelled_at: float | None = None
    archived_at: float | None = None
    deleted_at: float | None = None


@dataclass(slots=True, kw_only=True)
class GroupAppointment(Dated):
    starts_at: float
    ends_at: float
    business_id: int | None = None
    practitioner_id: int | None = None
    appointment_type_id: int | None = None
    repeated_from_id: int | None = None
    max_attendees: int = 8
    patient_ids: tuple[int, ...] | None = ()
    notes: str | None = None
    archived_at: float | None = None
    deleted_at: float | None = None


@dataclass(slots=True, kw_only=True)
class UnavailableBlock(Dated):
    starts_at: float
    ends_at: float
    business_id: int | None = None
    practitioner_id: int | None = None
    repeated_from_id: int | None = None
    notes: str | None = None
    archived_at: float | None = None
    deleted_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Attendee(Dated):
    booking_id: int
    patient_id: int
    patient_case_id: int | None = None
    arrived: bool | None = False
    notes: str | None = None
    invoice_status: int | None = None
    treatment_note_status: int | None = None
    cancellation_reason: int | None = None
    cancellation_reason_description: str | None = ""
    cancellation_note: str | None = None
    cancelled_at: float | None = None
    archived_at: float | None = None
    deleted_at: float | None = None

    @property
    def appointment_id(self) -> int:
        """Cliniko filters by this older name as well."""
        return self.booking_id


@dataclass(slots=True, kw_only=True)
class AppointmentType(Dated):
    name: str
    duration_in_minutes: int = 30
    max_attendees: int = 1
    category: str | None = ""
    color: str = "#3A87AD"
    description: str | None = ""
    show_in_online_bookings: bool | None = True
    telehealth_enabled: bool | None = False
    online_payments_mode: str | None = None
    appointment_confirmation_template_ids: tuple[int, ...] | None = ()
    appointment_follow_up_template_ids: tuple[int, ...] | None = ()
    appointment_reminder_template_ids: tuple[int, ...] | None = ()
    archived_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Practitioner(Dated):
    first_name: str | None
    last_name: str | None
    title: str | None = ""
    designation: str | None = "Physiotherapist"
    description: str | None = ""
    active: bool | None = True
    show_in_online_bookings: bool | None = True
    user_id: int | None = None
    default_appointment_type_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Business(Dated):
    business_name: str
    address_1: str | None = ""
    city: str | None = ""
    state: str | None = ""
    post_code: str | None = ""
    country: str | None = None
    country_code: str | None = None
    time_zone: str | None = None
    time_zone_identifier: str | None = None
    appointment_type_ids: tuple[int, ...] | None = ()
    appointment_reminders_enabled: bool | None = True
    show_in_online_bookings: bool | None = True
    archived_at: float | None = None
    deleted_at: float | None = None
