"""Each resource as Cliniko shows it: beside its own columns, what Cliniko derives, links or leaves blank."""

from typing import Any

from cliniko_emulator.bookings import Booking
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.records import (
    Appointment,
    AppointmentType,
    Attendee,
    Business,
    GroupAppointment,
    Patient,
    Practitioner,
    Tombstone,
    UnavailableBlock,
)
from cliniko_emulator.shape import Shape, link, scalar, to_json

_WEEKLY = to_json({"number_of_repeats": 6, "repeat_type": "Weekly", "repeating_interval": 1})


def _below(path: str, *names: str) -> dict[str, str]:
    return {name: f"{path}/#/{name}" for name in names}


def full_name(patient: Patient) -> str:
    return " ".join(name for name in (patient.first_name, patient.last_name) if name)


def _patient_name(record: Appointment, clinic: Clinic) -> str:
    patient = clinic.patients.get(record.patient_id)
    return scalar(full_name(patient) if patient else None)


def _has_patient_notes(record: Appointment, clinic: Clinic) -> str:
    patient = clinic.patients.get(record.patient_id)
    return "true" if patient and patient.appointment_notes else "false"


def _repeat_rule(record: Appointment, _clinic: Clinic) -> str:
    return _WEEKLY if record.repeated_from_id else "{}"


def _repeats(record: Appointment, _clinic: Clinic) -> str:
    origin = record.repeated_from_id
    return link(f"individual_appointments?q[]=repeated_from_id:={origin}") if origin else "null"


def _telehealth_url(record: Appointment | GroupAppointment, clinic: Clinic) -> str:
    return f'"https://{clinic.host}/appointments/{record.id}/connect"'


def _practitioner_label(record: Practitioner, _clinic: Clinic) -> str:
    return scalar(" ".join(name for name in (record.title, record.first_name, record.last_name) if name))


def _business_label(record: Business, _clinic: Clinic) -> str:
    return scalar(record.business_name)


def _online_payments(record: AppointmentType, _clinic: Clinic) -> str:
    return "false" if record.online_payments_mode is None else "true"


PATIENT = Shape(
    Patient,
    "patients",
    constants={
        "address_2": "",
        "address_3": "",
        "custom_fields": {"sections": []},
        "deleted_at": None,
        "dva_card_number": "",
        "emergency_contact": "",
        "gender": None,
        "gender_identity": None,
        "invoice_default_to": "",
        "invoice_email": "",
        "invoice_extra_information": "",
        "medicare": "",
        "medicare_reference_number": "",
        "pronouns": None,
        "receives_cancellation_emails": True,
        "receives_confirmation_emails": True,
        "time_zone": None,
    },
    derived={"label": lambda record, _: scalar(full_name(record))},
    links={
        "attendees": "attendees?q[]=patient_id:=#",
        "patient_attachments": "patients/#/attachments",
        **_below("patients", "relationships", "appointments", "invoices", "medical_alerts"),
    },
)


def _individual_appointment(path: str) -> Shape[Appointment]:
    return Shape(
        Appointment,
        path,
        constants={"booking_ip_address": None, "online_booking_policy_accepted": None},
        derived={
            "has_patient_appointment_notes": _has_patient_notes,
            "patient_name": _patient_name,
            "repeat_rule": _repeat_rule,
            "repeats": _repeats,
            "telehealth_url": _telehealth_url,
        },
        links=_below("individual_appointments", "attendees", "conflicts"),
    )


def _group_appointment(path: str) -> Shape[GroupAppointment]:
    return Shape(
        GroupAppointment,
        path,
        constants={"repeat_rule": {}, "repeats": None},
        derived={"telehealth_url": _telehealth_url},
        links=_below("group_appointments", "attendees", "conflicts"),
    )


def _unavailable_block(path: str) -> Shape[UnavailableBlock]:
    return Shape(UnavailableBlock, path, constants={"repeat_rule": {}, "repeats": None})


class BookingShape:
    """A booking looks like what it is, only its own link names the common list."""

    def __init__(self) -> None:
        self._shapes: dict[type, Shape[Any]] = {
            Appointment: _individual_appointment("bookings"),
            GroupAppointment: _group_appointment("bookings"),
            UnavailableBlock: _unavailable_block("bookings"),
        }

    def write(self, record: Booking, clinic: Clinic) -> bytes:
        return self._shapes[type(record.of)].write(record.of, clinic)


INDIVIDUAL_APPOINTMENT = _individual_appointment("individual_appointments")
GROUP_APPOINTMENT = _group_appointment("group_appointments")
UNAVAILABLE_BLOCK = _unavailable_block("unavailable_blocks")
BOOKING = BookingShape()
ATTENDEE = Shape(
    Attendee,
    "attendees",
    constants={
        "booking_ip_address": None,
        "cancellation_url": None,
        "email_reminder_sent": False,
        "online_booking_policy_accepted": None,
        "sent_email_follow_ups_count": 0,
        "sent_email_reminders_count": 0,
        "sent_sms_follow_ups_count": 0,
        "sent_sms_reminders_count": 0,
        "sms_reminder_sent": False,
        "telehealth_url": None,
    },
    links=_below("attendees", "invoices", "patient_forms"),
)
APPOINTMENT_TYPE = Shape(
    AppointmentType,
    "appointment_types",
    constants={
        "add_deposit_to_account_credit": False,
        "deposit_price": None,
        "online_bookings_lead_time_hours": 24,
    },
    derived={"online_payments_enabled": _online_payments},
    links=_below("appointment_types", "appointment_type_billable_items", "appointment_type_products", "practitioners"),
)
PRACTITIONER = Shape(
    Practitioner,
    "practitioners",
    derived={"display_name": _practitioner_label, "label": _practitioner_label},
    links=_below("practitioners", "appointment_types", "appointments", "invoices", "practitioner_reference_numbers"),
)
BUSINESS = Shape(
    Business,
    "businesses",
    constants={
        "additional_information": None,
        "additional_invoice_information": "",
        "address_2": "",
        "business_registration_name": "",
        "business_registration_value": "",
        "contact_information": "",
        "email_reply_to": "",
        "website_address": "",
    },
    derived={"display_name": _business_label, "label": _business_label},
    links=_below("businesses", "appointments", "practitioners"),
)
ERASED_PATIENT = Shape(Tombstone, "patients")
