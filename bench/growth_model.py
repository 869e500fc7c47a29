"""What `growth.py` computes with. RATES are what decisions recorded, of two cores; CLINIC is what we assume.

Nothing is measured here: change it at will.
"""

from dataclasses import dataclass, fields
from math import ceil

DAY, MINUTE, PAGE = 86_400, 60, 100
FULL = 0.6
"""Of what a replica can do; the rest is for bursts and for the replica that restarts."""
FEWEST = 2


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
    quiet_requests: int = 8
    """To Cliniko, by an hourly run that finds nothing new: decision 14, with appointments in groups."""
    busy_requests: int = 12
    """By one that does: its reference data too, and what is new of a patient or a group. Counted on the demo's."""
    busy_hours: int = 10
    """Of a day in which something changes; the rest is night."""
    answer_seconds: float = 0.15
    own_seconds: float = 0.6
    """Of a run beside Cliniko's answers: claimed, landed, ended. The shortest of 14 on a busy machine took 0.65 s."""

    @property
    def records(self) -> int:
        return self.patients + self.appointments

    def run(self, *, entire: bool, busy: bool, answer_seconds: float) -> tuple[int, float]:
        """Its requests, and the seconds for which it holds a hand: answers come one by one, of pages eight at once."""
        looks = self.busy_requests if entire or busy else self.quiet_requests
        if not entire:
            return looks, looks * answer_seconds + self.own_seconds
        pages = ceil(self.records / PAGE)
        reading = max(first_import(self.records), pages * answer_seconds / PAGES_AT_ONCE)
        return looks + pages, looks * answer_seconds + self.own_seconds + reading

    @property
    def day(self) -> tuple[int, float]:
        """Of requests and of seconds: a run each hour, one of them of everything."""
        answer = self.answer_seconds
        runs = [self.run(entire=False, busy=hour < self.busy_hours, answer_seconds=answer) for hour in range(23)]
        runs.append(self.run(entire=True, busy=True, answer_seconds=answer))
        return sum(requests for requests, _ in runs), sum(seconds for _, seconds in runs)


@dataclass(frozen=True)
class Connections:
    """To PostgreSQL, of one replica at most: pools and what each has beside them (`chassis.database`).

    Commands such as `verify-audit` have their own, for as long as they run: they are among the OTHERS.
    """

    patients: int = 16 + 4
    analytics: int = 16 + 4
    sync: int = 16 + 4 + 2 + 4
    """The second pool counts requests to Cliniko."""
    admin: int = 16 + 4


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

    @property
    def max_connections(self) -> int:
        """What PostgreSQL must allow: a rolling restart has one more of each, and there are others."""
        return self.connections + Replicas(1, 1, 1, 1, 1).connections + OTHERS


OTHERS = 10
"""Sessions of migrations, a backup, a command, a person, and three that PostgreSQL keeps for its superuser."""
MAX_CONNECTIONS = 600
"""Of PostgreSQL beside the manifests: autoscaling stays below it."""
RATES, CLINIC = Rates(), Clinic()
HANDS = 4
"""Runs that one replica of the sync works on at once."""
PAGES_AT_ONCE = 8
"""Requests of one run that walks a list."""
ALLOWED = 0.9 * 180
"""Requests a minute of scheduled runs with one clinic's key: decision 12."""


def replicas(clinics: int, clinic: Clinic = CLINIC, rates: Rates = RATES) -> Replicas:
    """What the busiest second takes; runs are spread evenly over the day (`sync.domain.schedule`)."""
    requests = clinics * clinic.requests
    lists = requests * clinic.of_lists
    waiting = clinics * clinic.day[1] / DAY / HANDS
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


def _enough(work: float) -> int:
    return max(FEWEST, ceil(work / FULL))
