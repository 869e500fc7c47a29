"""A clinic's life by chance: records in several states, pages out of order and some of them twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic

from contracts.base import Event
from contracts.records import PhoneNumber

NAMES = ["", "  ", "ada", "Ada", "Zoë", "Ångström", "O'Brien", 'a"b\\c', "😀", " de  Groot\t", "İpek"]
NUMBERS = ["0412 345 678", "+61 (0)412-345", "(+61) 400", "n/a", "", "tel 3+4"]
NOTES = [None, "", "  ", " Lower back\n", 'quoted "text"\nand a line', "😀 \\u0000"]
TYPES = ["Physiotherapy", "physiotherapy", "Massage / Relax", "", "Zoë's"]
EDGES = [timedelta(0), timedelta(microseconds=1), -timedelta(microseconds=1), -30 * DAY, -30 * DAY - HOUR, HOUR]
PAGE = 20


def random_history(
    random: Random, clinic: Clinic, patients: int = 30, appointments: int = 150, around: datetime = NOON
) -> list[Event]:
    """Events of one organization, its appointments `around` a moment; a time on an edge is as likely as any other."""
    records: list[Any] = []
    records += [_patient(random, clinic, number) for number in range(patients) for _ in range(random.randint(0, 2))]
    records += [
        _appointment(random, clinic, number, random.randint(0, patients // 2) if number % 3 else 0, around)
        for number in range(appointments)
        for _ in range(random.randint(1, 2))
    ]
    records += [clinic.type(random.randint(1, 6), random.choice(TYPES)) for _ in range(9)]
    records += [clinic.practitioner(random.randint(1, 3), random.choice(NAMES)) for _ in range(4)]
    random.shuffle(records)
    events = _pages(clinic, records)
    events += [clinic.run(_moment(random, around), full_sweep=random.random() < 0.7) for _ in range(3)]
    events += random.sample(events, len(events) // 4)
    random.shuffle(events)
    return events


def _patient(random: Random, clinic: Clinic, number: int) -> Any:
    gone = random.choice(["archived_at", "deleted_at", "merged_at"]) if random.random() < 0.1 else "archived_at"
    phones = [
        PhoneNumber(type=random.choice(["Home", "Mobile"]), number=random.choice(NUMBERS))
        for _ in range(random.randint(0, 3))
    ]
    return clinic.patient(
        number,
        first_name=random.choice(NAMES),
        last_name=random.choice(NAMES),
        email=random.choice([None, " ", " a@example.com "]),
        phone_numbers=phones,
        **({gone: NOON} if random.random() < 0.1 else {}),
    )


def _appointment(random: Random, clinic: Clinic, number: int, patient: int, around: datetime) -> Any:
    starts_at = _moment(random, around)
    state = random.choice(["cancelled_at", "archived_at", "deleted_at"])
    return clinic.appointment(
        number,
        patient,
        starts_at,
        ends_at=random.choice([None, starts_at + HOUR]),
        appointment_type_id=random.choice([None, *map(str, range(1, 8))]),
        practitioner_id=random.choice([None, *map(str, range(1, 5))]),
        notes=random.choice(NOTES),
        patient_arrived=random.random() < 0.5,
        did_not_arrive=random.random() < 0.2,
        **({state: NOON} if random.random() < 0.15 else {}),
    )


def _moment(random: Random, around: datetime) -> datetime:
    if random.random() < 0.3:
        return around + random.choice(EDGES)
    return around + timedelta(hours=random.randint(-24 * 60, 24 * 40))


def _pages(clinic: Clinic, records: Sequence[Any]) -> list[Event]:
    pages: list[Event] = []
    for kind in {type(record) for record in records}:
        same = [record for record in records if type(record) is kind]
        pages += [clinic.page(*same[start : start + PAGE]) for start in range(0, len(same), PAGE)]
    return pages
