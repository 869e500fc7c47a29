"""When a patient comes: courses of treatment as days before (negative) and after the day the clinic is made."""

from enum import Enum
from random import Random

from cliniko_emulator.world.ids import OPENED_DAYS_AGO


class Life(Enum):
    """Where a patient stands in treatment today."""

    NEVER_CAME = "no appointment at all"
    FINISHED = "the last visit lies more than 30 days back"
    IN_TREATMENT = "seen in the last 30 days, and booked"
    JUST_FINISHED = "seen in the last 30 days, nothing booked"
    COMING = "booked, not seen in the last 30 days"

    @property
    def active(self) -> bool:
        return self in {Life.IN_TREATMENT, Life.JUST_FINISHED, Life.COMING}


# Of all patients; the others have finished. The last three, nine in a hundred, are the active ones.
_SHARES = {Life.NEVER_CAME: 0.06, Life.IN_TREATMENT: 0.045, Life.JUST_FINISHED: 0.025, Life.COMING: 0.02}

_LENGTHS, _LENGTH_WEIGHTS = (1, 2, 3, 4, 5, 6, 8, 11), (18, 14, 16, 14, 12, 12, 9, 5)
_EARLIEST = -(OPENED_DAYS_AGO - 60)
# Weekends shift a visit by up to two days; a finished course must stay out of the last 30 all the same.
_FINISHED_BEFORE = 36


def lives(rng: Random, patients: int) -> list[Life]:
    """One per patient. The shares are exact, not drawn, so that small clinics look like large ones."""
    standing = [life for life, share in _SHARES.items() for _ in range(round(patients * share))]
    standing += [Life.FINISHED] * (patients - len(standing))
    rng.shuffle(standing)
    return standing


def visit_days(rng: Random, life: Life) -> list[int]:
    """In order of time."""
    match life:
        case Life.NEVER_CAME:
            return []
        case Life.IN_TREATMENT:
            return _course(rng, ends=-rng.randint(1, 12)) + _booked(rng, first=rng.randint(2, 9))
        case Life.JUST_FINISHED:
            return _course(rng, ends=-rng.randint(3, 26))
        case Life.COMING:
            earlier = _history(rng, ends=-rng.randint(60, 900)) if rng.random() < 0.6 else []
            return earlier + _booked(rng, first=rng.randint(2, 20))
        case Life.FINISHED:
            return _history(rng, ends=-_FINISHED_BEFORE - int(2_100 * rng.random() ** 1.5))


def _history(rng: Random, ends: int) -> list[int]:
    """One course, and for some patients another before it."""
    days = _course(rng, ends)
    if rng.random() < 0.25:
        days = _course(rng, ends=days[0] - rng.randint(60, 600)) + days
    return days


def _course(rng: Random, ends: int) -> list[int]:
    """Weekly or fortnightly visits up to the last."""
    gap = rng.choice((7, 7, 14))
    length = rng.choices(_LENGTHS, _LENGTH_WEIGHTS)[0]
    days = (ends - gap * number - rng.choice((0, 0, 1)) * number for number in range(length))
    return sorted(day for day in days if day > _EARLIEST)


def _booked(rng: Random, first: int) -> list[int]:
    return [first + 7 * week for week in range(rng.randint(1, 3))]
