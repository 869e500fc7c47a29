"""A whole clinic from a seed: the same seed, size and day give the same clinic, to the last byte."""

from datetime import UTC, date, datetime
from random import Random

from cliniko_emulator.accounts import Account
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.records import Appointment, Patient
from cliniko_emulator.table import Table
from cliniko_emulator.world import courses, leavers, oddities
from cliniko_emulator.world.blocks import blocks
from cliniko_emulator.world.courses import Life
from cliniko_emulator.world.groups import hold_classes
from cliniko_emulator.world.ids import Ids
from cliniko_emulator.world.people import People
from cliniko_emulator.world.places import place_of
from cliniko_emulator.world.reception import Reception
from cliniko_emulator.world.regulars import earlier_visits
from cliniko_emulator.world.staff import found


def generate(account: Account, today: date) -> Clinic:
    """The clinic as it stands at the start of `today` in UTC."""
    rng = Random(f"{account.seed}:{account.patients}")
    anchor = int(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp())
    people = People.of(place_of(account.shard), account.seed)
    ids = Ids(Random(f"ids:{account.seed}"))
    staff = found(rng, people, ids, anchor=anchor, patients=account.patients)
    reception = Reception(seed=account.seed, people=people, staff=staff, ids=ids, today=today, anchor=anchor)
    patients, in_treatment, appointments = _patients(rng, reception, account.patients)
    dice = Random(f"classes:{account.seed}")
    classes = hold_classes(dice, staff, ids, in_treatment, patients=account.patients, anchor=anchor)
    appointments += earlier_visits(dice, patients, appointments, ids, wanted=account.appointments, anchor=anchor)
    diary = Table(_latest(appointments, account.appointments or len(appointments)))
    return Clinic(
        account=account,
        name=staff.name,
        owner=staff.owner,
        patients=Table(patients, shown_in=(diary,)),
        individual_appointments=diary,
        group_appointments=Table(classes.groups),
        attendees=Table(classes.attendees),
        appointment_types=Table((*staff.types, classes.kind)),
        practitioners=Table(staff.practitioners),
        businesses=Table(staff.businesses),
        unavailable_blocks=Table(blocks(dice, staff.practitioners[:-1], ids, anchor)),
    )


def _latest(appointments: list[Appointment], count: int) -> list[Appointment]:
    """As many as were ordered: a clinic that has not kept the early ones."""
    kept = {one.id for one in sorted(appointments, key=lambda one: one.starts_at)[-count:]}
    return [one for one in appointments if one.id in kept]


def _patients(rng: Random, reception: Reception, count: int) -> tuple[list[Patient], list[Patient], list[Appointment]]:
    """All patients, those of them in treatment, and their appointments."""
    lives = courses.lives(rng, count)
    taken_in = [reception.take_in(number, life) for number, life in enumerate(lives)]
    patients = [patient for patient, _ in taken_in]
    appointments = [appointment for _, booked in taken_in for appointment in booked]
    oddities.twist_patients(patients, reception.people.place, rng)
    oddities.twist_appointments(appointments, rng)
    by_life = {one: [patient for patient, life in zip(patients, lives, strict=True) if life is one] for one in Life}
    leavers.archive(rng, by_life[Life.FINISHED], by_life[Life.IN_TREATMENT], reception.anchor)
    leavers.merge(rng, by_life[Life.NEVER_CAME], by_life[Life.FINISHED], reception.anchor)
    return patients, by_life[Life.IN_TREATMENT], appointments
