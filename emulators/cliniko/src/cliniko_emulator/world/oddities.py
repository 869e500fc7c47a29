"""What real clinics' data holds and careful clients forget: each kind is planted a few times, whatever the size."""

from collections.abc import Callable, Sequence
from random import Random

from cliniko_emulator.records import Appointment, Patient, Phone
from cliniko_emulator.world.places import Place

Twist = Callable[[Patient, Place, Random], None]

_PATIENTS_PER_ROUND = 300
_FAMILY = 3
_APPOINTMENTS_PER_ROUND = 1_500


def _named(first_name: str | None, last_name: str | None) -> Twist:
    def twist(patient: Patient, _place: Place, _rng: Random) -> None:
        patient.first_name, patient.last_name = first_name, last_name

    return twist


def _reached_by(*phones: Phone) -> Twist:
    def twist(patient: Patient, _place: Place, _rng: Random) -> None:
        patient.patient_phone_numbers = phones

    return twist


def _no_phone_list(patient: Patient, _place: Place, _rng: Random) -> None:
    patient.patient_phone_numbers = None


def _every_phone_type(patient: Patient, place: Place, rng: Random) -> None:
    patient.patient_phone_numbers = tuple(
        place.phone(rng, phone_type) for phone_type in ("Work", "Home", "Mobile", "Fax", "Other", "Mobile")
    )


def _emailed_at(email: str | None) -> Twist:
    def twist(patient: Patient, _place: Place, _rng: Random) -> None:
        patient.email = email

    return twist


def _born(day: str | None) -> Twist:
    def twist(patient: Patient, _place: Place, _rng: Random) -> None:
        patient.date_of_birth = day

    return twist


_TWISTS: tuple[Twist, ...] = (
    _named("", ""),
    _named(None, None),
    _named("  ", ""),
    _named(None, "Example"),
    _named("  Ada ", " Example  "),
    _named("Zoë 🌻", "Núñez-Ångström"),
    _named("מאיה", "דוגמה"),
    _named("ليلى", "مثال"),
    _named("玲奈", "例"),
    _named("Jo", "O'Example-" + "Long" * 30),
    _no_phone_list,
    _reached_by(),
    _reached_by(Phone("Mobile", "", None)),
    _reached_by(Phone("Other", "ask reception", None)),
    _reached_by(Phone("Home", "ext. 12", None), Phone("Mobile", "n/a", "")),
    _every_phone_type,
    _emailed_at(""),
    _emailed_at(None),
    _emailed_at("   "),
    _emailed_at(" Mixed.Case@Example.com "),
    _born("1900-01-01"),
    _born("2000-02-29"),
    _born(None),
)


def twist_patients(patients: Sequence[Patient], place: Place, rng: Random) -> None:
    """Changes each chosen patient once; others, in threes, become families that share a telephone."""
    rounds = 1 + len(patients) // _PATIENTS_PER_ROUND
    twisted = rounds * len(_TWISTS)
    chosen = rng.sample(patients, min(len(patients), twisted + rounds * _FAMILY))
    for number, patient in enumerate(chosen[:twisted]):
        _TWISTS[number % len(_TWISTS)](patient, place, rng)
    for number, patient in enumerate(chosen[twisted:]):
        parent = chosen[twisted + number - number % _FAMILY]
        patient.last_name, patient.patient_phone_numbers = parent.last_name, parent.patient_phone_numbers


def twist_appointments(appointments: Sequence[Appointment], rng: Random) -> None:
    """Some appointments lose a relation, and some carry a note of many pages."""
    rounds = 1 + len(appointments) // _APPOINTMENTS_PER_ROUND
    chosen = rng.sample(appointments, min(len(appointments), rounds * 3))
    for number, appointment in enumerate(chosen):
        match number % 3:
            case 0:
                appointment.appointment_type_id = None
            case 1:
                appointment.practitioner_id = None
            case _:
                appointment.notes = "Long course, détails ci-joints. " * 400
