"""What happened at a clinic in a period, beside the period before it.

Told are the listed patients and what Cliniko still holds of them, as in the clinic's other figures: whoever is archived
takes their past along, and so does an appointment that is archived or deleted.

- `bookings` are appointments by the day they were made, whatever became of them.
- `appointments` are by the day they start; missed ones count, cancelled ones do not.
- `cancellations` are by the day somebody cancelled, `no_shows` by the day the appointment was missed.
- `new_patients` are by the day Cliniko got to know them.
- `active_patients` had one of the `appointments` in that day, week or period: each counts once in each, so that days
  do not add up to a week.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from analytics.domain.periods import Granularity, Period, Timeframe, Window

Metric = Literal["bookings", "appointments", "cancellations", "no_shows", "new_patients", "active_patients"]
CURRENT, PREVIOUS = 0, 1

Dimension = Literal["all", "point", "appointment_type", "practitioner"]


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened: in one of the two periods, and there in all or to one key of a dimension."""

    period: int
    dimension: Dimension
    key: str | None
    """A point's number, counted from today backwards, or an id; None for appointments without one."""
    metric: Metric
    count: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric now and before."""

    current: int = 0
    previous: int = 0

    @property
    def change_percentage(self) -> float | None:
        """Against the period before; None when there was nothing to compare with."""
        return round((self.current - self.previous) / self.previous * 100, 1) if self.previous else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Every metric, of whatever was asked."""

    bookings: Comparison
    appointments: Comparison
    cancellations: Comparison
    no_shows: Comparison
    new_patients: Comparison
    active_patients: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Totals):
    """What one appointment type or practitioner had of it."""

    id: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Totals):
    """One day or week, beside the one that lies as far back in the period before."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Trend:
    """Counts of a window, told in four ways."""

    organization_id: str
    timestamp: datetime
    window: Window
    counts: Sequence[Count]
    appointment_types: Mapping[str, str]
    practitioners: Mapping[str, str]
    """Names by id."""
    last_sync_time: datetime | None

    @property
    def timeframe(self) -> Timeframe:
        """As it was asked for."""
        return self.window.timeframe

    @property
    def granularity(self) -> Granularity:
        """Of the points."""
        return self.window.granularity

    @property
    def period(self) -> Period:
        """The days up to today."""
        return self.window.current

    @property
    def previous_period(self) -> Period:
        """The days it is compared with."""
        return self.window.previous

    @property
    def totals(self) -> Totals:
        """Of the whole period."""
        return Totals(**_compared(self._of("all").get(None, ())))

    @property
    def points(self) -> list[Point]:
        """The earliest first."""
        found, periods = self._of("point"), enumerate(self.window.points)
        return [
            Point(first_day=day.first_day, last_day=day.last_day, **_compared(found.get(str(number), ())))
            for number, day in reversed(list(periods))
        ]

    @property
    def by_appointment_type(self) -> list[Share]:
        """The one with the most appointments first."""
        return self._shares("appointment_type", self.appointment_types)

    @property
    def by_practitioner(self) -> list[Share]:
        """The one with the most appointments first."""
        return self._shares("practitioner", self.practitioners)

    def _of(self, dimension: Dimension) -> dict[str | None, list[Count]]:
        found = defaultdict(list)
        for count in self.counts:
            if count.dimension == dimension:
                found[count.key].append(count)
        return found

    def _shares(self, dimension: Dimension, names: Mapping[str, str]) -> list[Share]:
        shares = [
            Share(id=key, name=names.get(key or ""), **_compared(counts)) for key, counts in self._of(dimension).items()
        ]
        return sorted(shares, key=lambda share: (-share.appointments.current, share.id or ""))


def _compared(counts: Iterable[Count]) -> dict[str, Comparison]:
    found = {(count.metric, count.period): count.count for count in counts}
    return {
        metric: Comparison(found.get((metric, CURRENT), 0), found.get((metric, PREVIOUS), 0))
        for metric in get_args(Metric)
    }
