"""The days a trend looks at. Days are whole ones in UTC; the last is today, with what is still to come of it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

Timeframe = Literal["7d", "30d", "90d", "1y"]
Granularity = Literal["day", "week"]

DAYS: dict[Timeframe, int] = {"7d": 7, "30d": 30, "90d": 90, "1y": 365}
LONGEST_BY_DAY = 30
WEEK = 7


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both included."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Window:
    """The days up to today, and as many before them to compare with."""

    timeframe: Timeframe
    today: date

    @property
    def days(self) -> int:
        """Of either period."""
        return DAYS[self.timeframe]

    @property
    def granularity(self) -> Granularity:
        """Days while they can be told apart in a chart."""
        return "day" if self.days <= LONGEST_BY_DAY else "week"

    @property
    def step(self) -> int:
        """Days in a point of the chart."""
        return 1 if self.granularity == "day" else WEEK

    @property
    def current(self) -> Period:
        """The days up to today."""
        return self._back(0, self.days)

    @property
    def previous(self) -> Period:
        """As many days, right before the current ones."""
        return self._back(self.days, 2 * self.days)

    @property
    def points(self) -> list[Period]:
        """The current period cut into points, the last one first: weeks end today, so the earliest may be shorter."""
        return [self._back(age, min(age + self.step, self.days)) for age in range(0, self.days, self.step)]

    @property
    def since(self) -> datetime:
        """The beginning of the previous period."""
        return _midnight(self.previous.first_day)

    @property
    def until(self) -> datetime:
        """The end of today."""
        return _midnight(self.today + timedelta(days=1))

    def _back(self, nearest: int, farthest: int) -> Period:
        return Period(self.today - timedelta(days=farthest - 1), self.today - timedelta(days=nearest))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
