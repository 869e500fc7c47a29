"""What a clinic has before its first patient: a name, an owner, businesses, appointment types and practitioners."""

from dataclasses import dataclass
from random import Random

from cliniko_emulator.clinic import Owner
from cliniko_emulator.records import AppointmentType, Business, Practitioner
from cliniko_emulator.world.ids import DAY, OPENED_DAYS_AGO, Ids
from cliniko_emulator.world.people import People

PATIENTS_FOR_A_SECOND_BUSINESS = 400

_CLINIC_NAMES = ("Harbour", "Ridge", "Northside", "Riverbank", "Parkview", "Eastgate")
_CATEGORIES = ("Physiotherapy", "Rehabilitation", "")
_TYPES = (
    ("Initial Consultation", 45),
    ("Standard Consultation", 30),
    ("Extended Consultation", 60),
    ("Physio / Rehab Review", 30),
    ("Thérapie manuelle (Rücken)", 40),
    ("Telehealth Follow-up", 20),
    ("Hydrotherapy", 45),
)
_PRACTITIONERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The last appointment type is archived and the last practitioner inactive; older appointments still name them."""

    name: str
    owner: Owner
    businesses: tuple[Business, ...]
    types: tuple[AppointmentType, ...]
    practitioners: tuple[Practitioner, ...]


def found(rng: Random, people: People, ids: Ids, *, anchor: int, patients: int) -> Staff:
    opened = anchor - OPENED_DAYS_AGO * DAY
    name = f"{rng.choice(_CLINIC_NAMES)} Physiotherapy"
    types = _types(rng, ids, opened, anchor)
    practitioners = _practitioners(rng, people, ids, anchor)
    first = practitioners[0]
    owner = Owner(
        id=ids.issue(OPENED_DAYS_AGO),
        first_name=first.first_name or "",
        last_name=first.last_name or "",
        email="owner@example.com",
        created_at=opened,
    )
    first.user_id = owner.id
    places = 2 if patients >= PATIENTS_FOR_A_SECOND_BUSINESS else 1
    businesses = tuple(_business(rng, people, ids, opened, name, number) for number in range(places))
    for business in businesses:
        business.appointment_type_ids = tuple(one.id for one in types[:-1])
    return Staff(name=name, owner=owner, businesses=businesses, types=types, practitioners=practitioners)


def _types(rng: Random, ids: Ids, opened: int, anchor: int) -> tuple[AppointmentType, ...]:
    types = tuple(
        AppointmentType(
            id=ids.issue(OPENED_DAYS_AGO),
            created_at=opened,
            updated_at=opened,
            name=name,
            duration_in_minutes=minutes,
            category=rng.choice(_CATEGORIES),
            telehealth_enabled=name.startswith("Telehealth"),
            appointment_reminder_template_ids=(ids.issue(OPENED_DAYS_AGO),),
        )
        for name, minutes in _TYPES
    )
    types[-1].archived_at = types[-1].updated_at = anchor - 300 * DAY
    return types


def _practitioners(rng: Random, people: People, ids: Ids, anchor: int) -> tuple[Practitioner, ...]:
    practitioners = []
    for number in range(_PRACTITIONERS):
        joined_days_ago = OPENED_DAYS_AGO - number * 200
        joined = anchor - joined_days_ago * DAY
        practitioners.append(
            Practitioner(
                id=ids.issue(joined_days_ago),
                created_at=joined,
                updated_at=joined,
                first_name=rng.choice(people.first_names),
                last_name=rng.choice(people.last_names),
                title=rng.choice(("Dr", "", "Ms", "Mr")),
                user_id=ids.issue(joined_days_ago),
            )
        )
    left = practitioners[-1]
    left.active = left.show_in_online_bookings = False
    left.updated_at = anchor - 250 * DAY
    return tuple(practitioners)


def _business(rng: Random, people: People, ids: Ids, opened: int, clinic: str, number: int) -> Business:
    place = people.place
    return Business(
        id=ids.issue(OPENED_DAYS_AGO),
        created_at=opened,
        updated_at=opened,
        business_name=clinic if number == 0 else f"{clinic} {rng.choice(people.cities)}",
        address_1=rng.choice(people.streets),
        city=rng.choice(people.cities),
        state=place.state,
        post_code=rng.choice(people.post_codes),
        country=place.country,
        country_code=place.country_code,
        time_zone=place.zone_label,
        time_zone_identifier=place.zone.key,
    )
