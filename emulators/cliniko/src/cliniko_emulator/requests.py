"""How many requests came since the last reset, from whom and for what."""

import re
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from cliniko_emulator.call import Call

_MINUTE = 60.0
_ID = re.compile(r"(?<=/)\d+")


@dataclass(slots=True)
class Pace:
    """One key's requests; `recent` are the moments of those in the last minute."""

    total: int = 0
    most_in_a_minute: int = 0
    recent: deque[float] = field(default_factory=deque)

    def count(self, now: float) -> None:
        self.total += 1
        self.recent.append(now)
        while self.recent[0] <= now - _MINUTE:
            self.recent.popleft()
        self.most_in_a_minute = max(self.most_in_a_minute, len(self.recent))


class Requests:
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._paths: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)

    def came(self, call: Call) -> None:
        self._paths[_ID.sub("{id}", call.path)] += 1
        self._paces[call.user_name].count(time.monotonic())

    def answered(self, status: int | None) -> None:
        """None: the connection was given up instead."""
        self._statuses["none" if status is None else str(status)] += 1

    def shown(self) -> dict[str, object]:
        """Paths without the shard, ids as `{id}`; keys as the client sent them."""
        return {
            "total": self._paths.total(),
            "by_path": dict(self._paths),
            "by_status": dict(self._statuses),
            "by_key": {
                key: {"total": pace.total, "most_in_a_minute": pace.most_in_a_minute}
                for key, pace in self._paces.items()
            },
        }
