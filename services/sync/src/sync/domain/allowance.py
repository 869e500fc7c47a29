"""How many requests an account of Cliniko may still make: a user has 200 a minute, over all its programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

LIMIT = 180
"""Requests a minute: the rest of the 200 is for the clinic's other programs."""
WINDOW_SECONDS = 60
LONGEST_PAUSE_SECONDS = 90
"""Whatever Cliniko asks for, and however the clock was set since."""


class Urgency(Enum):
    """Who waits for a request; the value is the share of the limit that such requests may use up."""

    SCHEDULED = 0.9
    REQUESTED = 0.97
    """By a run that a person started."""
    ATTENDED = 1.0
    """By a person who looks on until the answer comes."""


@dataclass(frozen=True)
class Grant:
    """How many of those who asked may go now, and when the others should ask again.

    `used` is what has been granted within the window, these included.
    """

    granted: int
    wait_seconds: float = 0.0
    used: int = 0


@dataclass(frozen=True)
class Allowance:
    """What an account has used in each of the last seconds. Times are seconds of one clock, whichever it is.

    Not more than the limit leaves in any 60 seconds, so neither a fixed nor a sliding window of Cliniko's overflows:
    which of the two it has is not documented.
    """

    spent: Mapping[int, int] = field(default_factory=dict)
    not_before: float = 0.0

    def take(self, now: float, waiting: Sequence[Urgency], limit: int = LIMIT) -> tuple["Allowance", Grant]:
        """Let go as many of those who wait, the most urgent first in the sequence, as there is room for."""
        if 0 < (pause := self.not_before - now) <= LONGEST_PAUSE_SECONDS:
            return self, Grant(0, pause, sum(_within(self.spent, int(now)).values()))
        second = int(now)
        spent = _within(self.spent, second)
        used, granted = sum(spent.values()), 0
        for urgency in waiting:
            if used + granted >= _room(urgency, limit):
                break
            granted += 1
        wait = 0.0
        if granted < len(waiting):
            wait = _until_free(spent, granted, second, _room(waiting[granted], limit)) - now
        if granted:
            spent[second] = spent.get(second, 0) + granted
        return replace(self, spent=spent), Grant(granted, wait, used + granted)

    def pause(self, now: float, seconds: float) -> "Allowance":
        """Cliniko said to wait: nobody goes before that."""
        return replace(self, not_before=max(self.not_before, now + min(seconds, LONGEST_PAUSE_SECONDS)))


def _room(urgency: Urgency, limit: int) -> int:
    return max(1, int(limit * urgency.value))


def _within(spent: Mapping[int, int], second: int) -> dict[int, int]:
    """What was spent in the window that ends now."""
    return {at: count for at, count in spent.items() if abs(second - at) <= WINDOW_SECONDS}


def _until_free(spent: Mapping[int, int], granted: int, second: int, room: int) -> int:
    """The second at which enough has left the window for one more."""
    used = sum(spent.values()) + granted
    for at in sorted(spent):
        used -= spent[at]
        if used < room:
            return at + WINDOW_SECONDS + 1
    return second + WINDOW_SECONDS + 1
