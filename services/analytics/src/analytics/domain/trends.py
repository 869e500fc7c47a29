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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.domain.periods import Period, Window

Metric = Literal["bookings", "appointments", "cancellations", "no_shows", "new_patients", "active_patients"]
METRICS: tuple[Metric, ...] = (
    "bookings", "appointments", "cancellations", "no_shows", "new_patients", "active_patients"
)  # fmt: skip
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


Comparisons = Mapping[Metric, Comparison]


@dataclass(frozen=True, slots=True)
class Share:
    """What one appointment type or practitioner had of it."""

    id: str | None
    name: str | None
    metrics: Comparisons


@dataclass(frozen=True, slots=True)
class Point:
    """One day or week."""

    period: Period
    metrics: Comparisons
    """Beside the day or week that lies as far back in the period before."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Counts of a window, told in four ways."""

    window: Window
    counts: Sequence[Count]
    appointment_types: Mapping[str, str]
    practitioners: Mapping[str, str]
    """Names by id."""
    last_sync_time: datetime | None

    @property
    def totals(self) -> Comparisons:
        """Of the whole period."""
        return _compared(self._of("all"))

    @property
    def points(self) -> list[Point]:
        """The earliest first."""
        found = _by_key(self._of("point"))
        return [
            Point(period, _compared(found.get(str(number), ())))
            for number, period in reversed(list(enumerate(self.window.points)))
        ]

    @property
    def by_appointment_type(self) -> list[Share]:
        """The one with the most appointments first."""
        return self._shares("appointment_type", self.appointment_types.get)

    @property
    def by_practitioner(self) -> list[Share]:
        """The one with the most appointments first."""
        return self._shares("practitioner", self.practitioners.get)

    def _of(self, dimension: Dimension) -> list[Count]:
        return [count for count in self.counts if count.dimension == dimension]

    def _shares(self, dimension: Dimension, name: Callable[[str], str | None]) -> list[Share]:
        shares = [
            Share(key, None if key is None else name(key), _compared(counts))
            for key, counts in _by_key(self._of(dimension)).items()
        ]
        return sorted(shares, key=lambda share: (-share.metrics["appointments"].current, share.id or ""))


def _by_key(counts: Iterable[Count]) -> dict[str | None, list[Count]]:
    found = defaultdict(list)
    for count in counts:
        found[count.key].append(count)
    return found


def _compared(counts: Iterable[Count]) -> Comparisons:
    found = {(count.metric, count.period): count.count for count in counts}
    return {metric: Comparison(found.get((metric, CURRENT), 0), found.get((metric, PREVIOUS), 0)) for metric in METRICS}
