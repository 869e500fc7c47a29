"""What Cliniko says about the key's user and about the account."""

from cliniko_emulator.clinic import Clinic
from cliniko_emulator.shape import timestamp

Json = dict[str, object]


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
        "links": {"self": f"{base}/users/{owner.id}"},
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
