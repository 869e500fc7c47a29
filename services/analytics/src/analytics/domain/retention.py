"""Which patients may not return, by rules a clinic can follow by hand.

- A visit is an appointment that has started and was neither missed, cancelled, archived nor deleted.
- Somebody with an upcoming appointment is about to return, and somebody without a visit has nothing to return to:
  neither is told here.
- The usual interval is the mean time between a patient's visits in whole days, at least 7 and at most 120;
  30 after a single visit.
- The risk is `low` after a visit, `medium` once the usual interval has passed since the last one, and `high` once it
  has passed twice.
- It is one step higher (never above `high`) when the appointment that was to follow was missed or cancelled.
- Whoever has not come for 365 days is `lost`: past a call to keep them, though not past one to win them back.

A day is 24 hours, whatever clocks change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Risk = Literal["high", "medium", "low", "lost"]
Slip = Literal["missed", "cancelled"]
Reason = Literal[
    "no_appointment_booked",
    "usual_interval_passed",
    "usual_interval_passed_twice",
    "not_seen_for_a_year",
    "last_appointment_missed",
    "last_appointment_cancelled",
]

RANKS: dict[Risk, int] = {"high": 4, "medium": 3, "low": 2, "lost": 1}
"""In the order of a list, the first to be called having the highest."""
INTERVAL_DAYS_AFTER_ONE_VISIT = 30
SHORTEST_INTERVAL_DAYS, LONGEST_INTERVAL_DAYS = 7, 120
LOST_DAYS = 365


_SLIPS: dict[Slip, Reason] = {"missed": "last_appointment_missed", "cancelled": "last_appointment_cancelled"}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of the list ended."""

    rank: int
    last_visit_at: datetime
    cliniko_patient_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientAtRisk:
    """One patient without an appointment to come, at the moment `now`."""

    cliniko_patient_id: str
    risk: Risk
    visits: int
    last_visit_at: datetime
    usual_interval_days: int
    slipped: Slip | None
    """What became of an appointment after the last visit."""
    now: datetime

    @property
    def days_since_last_visit(self) -> int:
        """Full days of 24 hours."""
        return (self.now - self.last_visit_at).days

    @property
    def reasons(self) -> list[Reason]:
        """Why the risk is what it is, the weightiest first."""
        return [self._absence, *(_SLIPS[slip] for slip in [self.slipped] if slip)]

    @property
    def _absence(self) -> Reason:
        if self.days_since_last_visit >= LOST_DAYS:
            return "not_seen_for_a_year"
        if self.days_since_last_visit >= 2 * self.usual_interval_days:
            return "usual_interval_passed_twice"
        return (
            "usual_interval_passed"
            if self.days_since_last_visit >= self.usual_interval_days
            else "no_appointment_booked"
        )

    @property
    def position(self) -> Position:
        """Where a page ends that ends here."""
        return Position(RANKS[self.risk], self.last_visit_at, self.cliniko_patient_id)


@dataclass(frozen=True, slots=True)
class Retention:
    """A page of patients at risk: the highest first, and of equals whoever was seen last."""

    patients: list[PatientAtRisk]
    end: Position | None
    """None on the last page."""
    counts: Mapping[Risk, int]
    """Of the whole clinic."""
    last_sync_time: datetime | None
