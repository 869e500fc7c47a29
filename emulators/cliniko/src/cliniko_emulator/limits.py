"""Cliniko's limit: so many requests a minute for each user."""

import math
import time
from collections.abc import Callable

WINDOW_SECONDS = 60.0


class RateLimit:
    """SIM: a fixed window that opens with the user's first request; Cliniko does not say which kind it uses."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def refused_until(self, user: str, limit: int) -> int | None:
        """Counts one request; when it is over the limit, the UNIX second at which the window ends."""
        now = self._clock()
        opened, count = self._windows.get(user, (now, 0))
        if now >= opened + WINDOW_SECONDS:
            opened, count = now, 0
        self._windows[user] = (opened, count + 1)
        return math.ceil(opened + WINDOW_SECONDS) if count >= limit else None
