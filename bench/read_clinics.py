"""The clinics of `make bench-reads`: how many, how large, and what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass

USUAL_PATIENTS, LARGER_PATIENTS = 650, 3_182
LARGEST_PATIENTS_A_CLINIC = 100
"""The largest has so many patients for each clinic there is: 100,000 beside 999 others."""

ACTIVE_OF_USUAL = 37
TYPES = (
    "Physiotherapy",
    "Initial assessment",
    "Remedial massage",
    "Sports massage",
    "Hydrotherapy",
    "Pilates class",
    "Dry needling",
    "Telehealth / review",
)
PRACTITIONERS = tuple(
    f"{first} {last}" for last in ("Sample", "Example", "Model") for first in ("Sam", "Kim", "Alex", "Robin")
)


@dataclass(frozen=True)
class Clinic:
    """One organization; `number` is the source of all its ids."""

    number: int
    patients: int

    @property
    def organization_id(self) -> str:
        return f"org_bench_{self.number:04}"


def clinics(count: int) -> Sequence[Clinic]:
    """Every tenth is a larger one, the last is the largest: 1,000 clinics have a million patients."""
    return [Clinic(number, _patients(number, count)) for number in range(1, count + 1)]


def _patients(number: int, count: int) -> int:
    if number == count:
        return LARGEST_PATIENTS_A_CLINIC * count
    return USUAL_PATIENTS if number % 10 else LARGER_PATIENTS


def usual(known: Sequence[Clinic]) -> Sequence[Clinic]:
    """Those of the size most have."""
    return [clinic for clinic in known if clinic.patients == USUAL_PATIENTS]


def steps(known: Sequence[Clinic]) -> Sequence[Sequence[Clinic]]:
    """The first ten, what makes a hundred of them, and so on: the largest comes with the last step."""
    ends = [end for end in (10, 100) if end < len(known)] + [len(known)]
    return [known[start:end] for start, end in zip([0, *ends], ends, strict=False)]
