"""Cliniko's limit: so many requests a minute for each user."""

import math
import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 60.0


class RateLimit:
    """SIM: Cliniko does not say which kind of window it uses; by default one that opens with the first request."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._opened: dict[str, tuple[float, int]] = {}
        self._admitted: dict[str, deque[float]] = {}

    def refused_until(self, user: str, limit: int, window: str = "fixed") -> int | None:
        """Counts one request; when it is over the limit, the UNIX second from which on there is room."""
        return self._sliding(user, limit) if window == "sliding" else self._fixed(user, limit)

    def _fixed(self, user: str, limit: int) -> int | None:
        now = self._clock()
        opened, count = self._opened.get(user, (now, 0))
        if now >= opened + WINDOW_SECONDS:
            opened, count = now, 0
        self._opened[user] = (opened, count + 1)
        return math.ceil(opened + WINDOW_SECONDS) if count >= limit else None

    def _sliding(self, user: str, limit: int) -> int | None:
        """SIM: refused requests do not count."""
        now, admitted = self._clock(), self._admitted.setdefault(user, deque())
        while admitted and admitted[0] <= now - WINDOW_SECONDS:
            admitted.popleft()
        if len(admitted) >= limit:
            return math.ceil((admitted[0] if admitted else now) + WINDOW_SECONDS)
        admitted.append(now)
        return None
