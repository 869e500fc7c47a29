"""Heartbeats of one connection, both ways."""

import asyncio
from collections.abc import Callable

BEATS_PER_INTERVAL = 2
INTERVALS_OF_SILENCE = 2


class Heartbeat:
    """Calls `beat` twice per interval of `seconds`, and `give_up` when the peer was silent for two intervals."""

    def __init__(self, seconds: int, beat: Callable[[], None], give_up: Callable[[], None]) -> None:
        self._pause = seconds / BEATS_PER_INTERVAL
        self._beat = beat
        self._give_up = give_up
        self._silent_beats = 0
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._tick)

    def peer_was_heard(self) -> None:
        self._silent_beats = 0

    def stop(self) -> None:
        self._timer.cancel()

    def _tick(self) -> None:
        self._silent_beats += 1
        if self._silent_beats > BEATS_PER_INTERVAL * INTERVALS_OF_SILENCE:
            self._give_up()
            return
        self._beat()
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._tick)
