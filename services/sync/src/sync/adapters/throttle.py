"""Cliniko allows a user 200 requests a minute; one clinic's runs stay below it in every minute."""

import asyncio
import time
from collections import deque

WINDOW_SECONDS = 60.0


class Throttle:
    """At most `limit` requests in any window, at once while there is room. Shared by all who use one key."""

    def __init__(self, limit: int = 180) -> None:
        self._sent: deque[float] = deque(maxlen=limit)
        self._not_before = 0.0

    async def wait(self) -> None:
        """Return when the next request may leave."""
        now = time.monotonic()
        full = len(self._sent) == self._sent.maxlen
        leaves = max(now, self._not_before, self._sent[0] + WINDOW_SECONDS if full else now)
        self._sent.append(leaves)
        if leaves > now:
            await asyncio.sleep(leaves - now)
        if (pause := self._not_before - time.monotonic()) > 0:  # ordered while this one waited
            await asyncio.sleep(pause)

    def pause(self, seconds: float) -> None:
        """Cliniko said to wait: nobody leaves before that, who waits already included."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
