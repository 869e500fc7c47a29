"""How soon a patient comes."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Urgency(NamedTuple):
    """The three keys the list with appointments adds."""

    priority: Literal["high", "medium", "low"]
    hours_until_next_appointment: float | None
    days_until_next_appointment: float | None


def urgency(next_at: datetime | None, now: datetime) -> Urgency:
    """Of a patient whose next appointment starts at `next_at`."""
    if next_at is None:
        return Urgency("low", None, None)
    wait = next_at - now
    priority: Literal["high", "medium", "low"] = "high" if wait <= DAY else "medium" if wait <= 3 * DAY else "low"
    return Urgency(priority, round(wait / HOUR, 1), round(wait / DAY, 1))
