"""When a clinic is synced without being asked: hourly, once a day entirely, each clinic at its own minute."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(minutes=5), HOUR
HEAD_START = timedelta(minutes=10)
"""Whoever connects a clinic usually starts its first run; the schedule waits at least this long."""
BEAT_HOLDS = timedelta(seconds=60)
"""A replica that has not shown itself for this long counts as gone."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def next_due(organization_id: str, after: datetime, period: timedelta) -> datetime:
    """The first moment after `after` at this organization's own place in the period; that of a day is one of an hour's.

    The place comes from a hash, so that all clinics together are spread evenly.
    """
    number = int.from_bytes(sha256(organization_id.encode()).digest()[:8])
    place = timedelta(seconds=number % int(DAY.total_seconds()))
    return after + period - (after - _EPOCH - place) % period


def back_off(failures: int) -> timedelta:
    """How long to leave a clinic alone after so many failed runs in a row: doubling, an hour at most.

    No longer, for after an outage it is all clinics that wait.
    """
    return min(LONGEST_BACK_OFF, FIRST_BACK_OFF * (1 << min(failures - 1, 16)))
