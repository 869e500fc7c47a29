"""A day of scheduled runs, simulated: who waits how long for a hand of the sync, and how many requests Cliniko gets.

Each clinic is due at the places in the hour and the day that `sync.domain.schedule` gives it, and goes to the hand that
is free first, whoever has been due the longest before the others. Its own limit binds a clinic, and no other. Left out:
turns (a long run holds its hand to the end, which makes others wait longer than they do), and the pause after a failed
run (when Cliniko is away, here all clinics wait for its return and come at once).
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from growth_model import ALLOWED, DAY, HANDS, MINUTE, Clinic
from sync.domain.schedule import DAY as A_DAY
from sync.domain.schedule import next_due

HOUR = 3_600
MIDNIGHT = datetime(2000, 1, 1, tzinfo=UTC)
ONE_IN = 100
LARGE = 110_000
"""Of a hundred clinics one has so many records."""
MORNING, EVENING = 8 * HOUR, (8 + Clinic().busy_hours) * HOUR
AWAY_FROM = 9 * HOUR


@dataclass(frozen=True)
class Case:
    clinics: int
    replicas: int
    answer_seconds: float = 0.15
    away_hours: int = 0
    """For so long from nine o'clock on Cliniko answers nobody."""


@dataclass(frozen=True)
class Outcome:
    busy: float
    """The share of the hands' day in which they are at work."""
    waited: tuple[float, float]
    """Seconds from due to begun: 99 of 100 runs at most, and the longest."""
    late_until: float
    """Seconds after midnight at which the last run began that was more than a minute late; 0 when none was."""
    busiest: float
    """Requests a second to Cliniko, in the busiest minute."""


def simulate(case: Case) -> Outcome:
    hands = [0.0] * (case.replicas * HANDS)
    waiting = [(place % HOUR, number, place) for number, place in enumerate(_places(case.clinics))]
    heapq.heapify(waiting)
    away = AWAY_FROM + case.away_hours * HOUR
    waits, worked, late_until, asked, read = list[float](), 0.0, 0.0, Counter[int](), set[int]()
    while waiting[0][0] < DAY:
        due, number, place = heapq.heappop(waiting)
        start = max(due, hands[0])
        if AWAY_FROM <= start < away:
            start = away
        entire = place <= due and number not in read
        read |= {number} if entire else set()
        requests, seconds = _run(number % ONE_IN == 0, entire, MORNING <= due < EVENING, case.answer_seconds)
        heapq.heapreplace(hands, start + seconds)
        waits.append(start - due)
        late_until = start if start - due > MINUTE else late_until
        worked += seconds
        asked[int(start // MINUTE)] += min(requests, int(ALLOWED))
        heapq.heappush(waiting, (_next(place, start + seconds), number, place))
    waits.sort()
    busy, most = worked / (len(hands) * DAY), max(asked.values()) / MINUTE
    return Outcome(busy, (waits[len(waits) * 99 // 100], waits[-1]), late_until, most)


def _places(clinics: int) -> Iterator[int]:
    """Seconds after midnight at which each is read entirely; every hour has the same."""
    for number in range(clinics):
        due = next_due(f"org_{number}", MIDNIGHT - A_DAY, A_DAY)
        yield int((due - MIDNIGHT).total_seconds()) % DAY


def _next(place: int, after: float) -> int:
    return int(after - (after - place) % HOUR) + HOUR


@cache
def _run(large: bool, entire: bool, busy: bool, answer_seconds: float) -> tuple[int, float]:
    clinic = Clinic(appointments=LARGE - 1_000) if large else Clinic()
    return clinic.run(entire=entire, busy=busy, answer_seconds=answer_seconds)
