"""What so many clinics take, computed: `.venv/bin/python bench/growth.py`. docs/growth.md holds what it prints.

Nothing is measured here. RATES are what decisions recorded, of two cores; CLINIC is what we assume: change it at will.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import ceil

DAY, MINUTE, PAGE = 86_400, 60, 100
FULL = 0.6
"""Of what a replica can do; the rest is for bursts and for the replica that restarts."""
FEWEST = 2
SCALES = (10, 100, 1_000, 10_000)
SIZES = (1_000, 6_000, 110_000, 1_100_000)
"""Records of a clinic: patients and appointments."""


@dataclass(frozen=True)
class Rates:
    """A second, by one replica, PostgreSQL's share of the two cores included."""

    gateway: float = 1 / 54e-6
    """Requests: decision 16, one core."""
    lists: float = 1_350
    """Decision 25."""
    figures: float = 1_816
    """Decision 25."""
    records_read: float = 6_509
    """From Cliniko until all can be read: `make bench-sync`, decision 17."""
    records_applied: float = 37_800
    """By patients, the slower of two: decision 25."""
    audited: float = 200
    """Reads of patients, put on record by admin: decision 19, not measured again since decision 25."""


@dataclass(frozen=True)
class Clinic:
    """Assumed of each."""

    patients: int = 1_000
    appointments: int = 5_000
    requests: float = 0.25
    """A second when all are at work: five people, one look in 20 s."""
    of_lists: float = 0.5
    """The part of them that shows patients, and so is audited; the others ask for figures."""
    hourly_requests: int = 6
    """To Cliniko, by a run that looks for changes."""
    answer_seconds: float = 0.15

    @property
    def records(self) -> int:
        return self.patients + self.appointments

    @property
    def daily_requests(self) -> int:
        """To Cliniko: hourly runs, and every page once a day."""
        return 24 * self.hourly_requests + ceil(self.records / PAGE)


@dataclass(frozen=True)
class Connections:
    """To PostgreSQL, of one replica at most: pools and what each has beside them (`chassis.database`)."""

    patients: int = 16 + 4
    analytics: int = 16 + 4
    sync: int = 16 + 4 + 2 * (2 + 4)
    admin: int = 16 + 4 + 2 + 4


@dataclass(frozen=True)
class Replicas:
    """Of each service, filled to FULL at most."""

    gateway: int
    patients: int
    analytics: int
    sync: int
    admin: int

    @property
    def connections(self) -> int:
        return sum(getattr(self, one.name) * one.default for one in fields(Connections))


RATES, CLINIC = Rates(), Clinic()
HANDS = 4
"""Runs that one replica of the sync works on at once."""
ALLOWED = 0.9 * 180
"""Requests a minute of scheduled runs with one clinic's key: decision 12."""


def replicas(clinics: int, clinic: Clinic = CLINIC, rates: Rates = RATES) -> Replicas:
    """What the busiest second takes; runs are spread evenly over the day (`sync.domain.schedule`)."""
    requests = clinics * clinic.requests
    lists = requests * clinic.of_lists
    waiting = clinics * clinic.daily_requests * clinic.answer_seconds / DAY / HANDS
    reading = clinics * clinic.records / DAY / rates.records_read
    return Replicas(
        gateway=_enough(requests / rates.gateway),
        patients=_enough(lists / rates.lists),
        analytics=_enough((requests - lists) / rates.figures),
        sync=_enough(max(waiting, reading)),
        admin=_enough(lists / rates.audited),
    )


def first_import(records: int) -> float:
    """Seconds for a clinic alone: Cliniko's limit, with the first minute's requests at once, or our own speed."""
    pages = ceil(records / PAGE)
    return max(max(0.0, pages - ALLOWED) / ALLOWED * MINUTE, records / RATES.records_read)


def by_scale() -> str:
    """What grows with clinics."""
    rows = [_scaled(clinics) for clinics in SCALES]
    heads = (
        "clinics",
        "requests/s",
        "gateway",
        "patients",
        "analytics",
        "sync",
        "admin",
        "connections",
        "applied anew",
    )
    return _table(heads, rows)


def by_size() -> str:
    """What grows with one clinic, whatever the number of replicas."""
    rows = [(f"{size:,}", f"{ceil(size / PAGE):,}", f"{first_import(size) / MINUTE:.1f} min") for size in SIZES]
    return _table(("records", "pages", "first import"), rows)


def _scaled(clinics: int) -> tuple[str, ...]:
    enough = replicas(clinics)
    numbers = (enough.gateway, enough.patients, enough.analytics, enough.sync, enough.admin, enough.connections)
    anew = clinics * CLINIC.records / RATES.records_applied / MINUTE
    return (f"{clinics:,}", f"{clinics * CLINIC.requests:,.0f}", *map(str, numbers), f"{anew:.1f} min")


def _enough(work: float) -> int:
    return max(FEWEST, ceil(work / FULL))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ("---:",) * len(heads), *rows))


if __name__ == "__main__":
    sys.stdout.write(f"{by_scale()}\n\n{by_size()}\n")
