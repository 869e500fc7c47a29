"""Invented people: names, addresses and contact details drawn from pools, since one Faker call per field is slow."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from faker import Faker

from cliniko_emulator.records import Patient, Phone
from cliniko_emulator.world.places import Place

_POOL = 300
_OCCUPATIONS = ("", "", "Teacher", "Electrician", "Nurse", "Retired", "Software developer", "Gardener", "Student")
_REFERRALS = ("", "", "Friend or family", "GP", "Web search", "Walk-in")
_APPOINTMENT_NOTES = ("", "", "", "Prefers mornings", "Uses the side entrance", "Bring resistance bands")
_CONSENT = (True, True, False, None)


@dataclass(frozen=True, slots=True)
class People:
    """A pool of name and address parts of one country."""

    place: Place
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    post_codes: tuple[str, ...]

    @classmethod
    def of(cls, place: Place, seed: int) -> "People":
        fake = Faker(place.locale)
        fake.seed_instance(seed)
        parts = (fake.first_name, fake.last_name, fake.street_address, fake.city, fake.postcode)
        return cls(place, *(tuple(part().replace("\n", ", ") for _ in range(_POOL)) for part in parts))

    def patient(self, rng: Random, today: date) -> Patient:
        """Someone without an id or times; the course of treatment decides those."""
        first_name, last_name = rng.choice(self.first_names), rng.choice(self.last_names)
        return Patient(
            id=0,
            created_at=0,
            updated_at=0,
            first_name=first_name,
            last_name=last_name,
            title=rng.choice(("Mr", "Ms", "Mrs", "", None)),
            email=_email(rng, first_name, last_name),
            date_of_birth=(today - timedelta(days=rng.randrange(6 * 365, 90 * 365))).isoformat(),
            sex=rng.choice(("Female", "Male", "", None)),
            patient_phone_numbers=self._phones(rng),
            address_1=rng.choice(self.streets),
            city=rng.choice(self.cities),
            state=self.place.state,
            post_code=rng.choice(self.post_codes),
            country=self.place.country,
            country_code=self.place.country_code,
            occupation=rng.choice(_OCCUPATIONS),
            appointment_notes=rng.choice(_APPOINTMENT_NOTES),
            referral_source=rng.choice(_REFERRALS),
            reminder_type=rng.choice(("SMS", "SMS", "Email", "SMS & Email", "None")),
            accepted_privacy_policy=rng.choice(_CONSENT),
            accepted_email_marketing=rng.choice(_CONSENT),
            accepted_sms_marketing=rng.choice(_CONSENT),
        )

    def _phones(self, rng: Random) -> tuple[Phone, ...]:
        phones = [self.place.phone(rng)]
        if rng.random() < 0.2:
            phones.insert(rng.randrange(2), self.place.phone(rng, rng.choice(("Home", "Work"))))
        return tuple(phones)


def _email(rng: Random, first_name: str, last_name: str) -> str | None:
    if rng.random() < 0.1:
        return rng.choice(("", None))
    name = f"{first_name}.{last_name}".lower().replace(" ", "").replace("'", "")
    return f"{name}{rng.randrange(100)}@example.{rng.choice(('com', 'org', 'net'))}"
