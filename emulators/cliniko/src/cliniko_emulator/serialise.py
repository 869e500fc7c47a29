"""Each record as Cliniko shows it: its own columns, and around them what Cliniko derives or leaves blank.

`base` is the address of the API as the client knows it, `http://host/au4/v1`; every link starts with it.
"""

from cliniko_emulator.clinic import Clinic
from cliniko_emulator.records import Appointment, AppointmentType, Business, Patient, Practitioner
from cliniko_emulator.wire import link, timestamp, to_json

Json = dict[str, object]

_PATIENT_BLANKS: Json = {
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
}
_WEEKLY = {"number_of_repeats": 6, "repeat_type": "Weekly", "repeating_interval": 1}


def _nested(address: str, *names: str) -> Json:
    """Links to the collections below a record, with the link to itself."""
    return {**{name: link(f"{address}/{name}") for name in names}, **link(address)}


def full_name(patient: Patient) -> str:
    return " ".join(name for name in (patient.first_name, patient.last_name) if name)


def patient(record: Patient, base: str, _clinic: Clinic) -> Json:
    address = f"{base}/patients/{record.id}"
    return {
        **to_json(record, base),
        **_PATIENT_BLANKS,
        "label": full_name(record),
        "attendees": link(f"{base}/attendees?q[]=patient_id:={record.id}"),
        "relationships": link(f"{address}/relationships"),
        "patient_attachments": link(f"{address}/attachments"),
        **_nested(address, "appointments", "invoices", "medical_alerts"),
    }


def individual_appointment(record: Appointment, base: str, clinic: Clinic) -> Json:
    address = f"{base}/individual_appointments/{record.id}"
    patient = clinic.patients.get(record.patient_id)
    repeats = link(f"{base}/individual_appointments?q[]=repeated_from_id:={record.repeated_from_id}")
    return {
        **to_json(record, base),
        "booking_ip_address": None,
        "has_patient_appointment_notes": bool(patient and patient.appointment_notes),
        "online_booking_policy_accepted": None,
        "patient_name": full_name(patient) if patient else None,
        "repeat_rule": _WEEKLY if record.repeated_from_id else {},
        "repeats": repeats if record.repeated_from_id else None,
        "telehealth_url": f"https://{clinic.subdomain}.{clinic.account.shard}.cliniko.com/appointments/{record.id}/connect",
        **_nested(address, "attendees", "conflicts"),
    }


def appointment_type(record: AppointmentType, base: str, _clinic: Clinic) -> Json:
    address = f"{base}/appointment_types/{record.id}"
    return {
        **to_json(record, base),
        "add_deposit_to_account_credit": False,
        "deposit_price": None,
        "online_bookings_lead_time_hours": 24,
        "online_payments_enabled": record.online_payments_mode is not None,
        **_nested(address, "appointment_type_billable_items", "appointment_type_products", "practitioners"),
    }


def practitioner(record: Practitioner, base: str, _clinic: Clinic) -> Json:
    address = f"{base}/practitioners/{record.id}"
    label = " ".join(name for name in (record.title, record.first_name, record.last_name) if name)
    return {
        **to_json(record, base),
        "display_name": label,
        "label": label,
        **_nested(address, "appointment_types", "appointments", "invoices", "practitioner_reference_numbers"),
    }


def business(record: Business, base: str, _clinic: Clinic) -> Json:
    address = f"{base}/businesses/{record.id}"
    return {
        **to_json(record, base),
        "additional_information": None,
        "additional_invoice_information": "",
        "address_2": "",
        "business_registration_name": "",
        "business_registration_value": "",
        "contact_information": "",
        "display_name": record.business_name,
        "email_reply_to": "",
        "label": record.business_name,
        "website_address": "",
        **_nested(address, "appointments", "practitioners"),
    }


def user(clinic: Clinic, base: str) -> Json:
    owner = clinic.owner
    business = next(iter(clinic.businesses))
    return {
        "id": str(owner.id),
        "created_at": timestamp(owner.created_at),
        "updated_at": timestamp(owner.created_at),
        "first_name": owner.first_name,
        "last_name": owner.last_name,
        "email": owner.email,
        "title": "",
        "role": "administrator",
        "active": True,
        "user_active": True,
        "phone_numbers": [],
        "time_zone": business.time_zone,
        "time_zone_identifier": business.time_zone_identifier,
        **link(f"{base}/users/{owner.id}"),
    }


def public_settings(clinic: Clinic) -> Json:
    country_code = next(iter(clinic.businesses)).country_code
    return {
        "account": {
            "name": clinic.name,
            "subdomain": clinic.subdomain,
            "country": {"AU": "Australia", "GB": "United Kingdom"}.get(country_code or ""),
            "country_code": country_code,
            "currency_symbol": "£" if country_code == "GB" else "$",
            "time_zone_support": False,
            "has_time_travelers": False,
        },
        "online_payments": {"activated": False},
        "reminders": {"default_reminder_type": "SMS"},
        "terminology": {"patient": "patient", "titles": ["Mr", "Ms", "Mrs", "Dr"]},
    }
