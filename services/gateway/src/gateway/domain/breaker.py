"""When to stop asking somebody who does not answer, and when to try again."""

import time
from collections.abc import Callable
from enum import IntEnum

WINDOW_SECONDS = 10.0
LEAST_CALLS = 10
"""Fewer outcomes in the window say nothing."""
TOLERATED_RATE = 0.5
PAUSE_SECONDS = 2.0
REFUSED = 0
"""The ticket that is none."""


class State(IntEnum):
    """As the metric shows it."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Closed until half of the calls of the last seconds failed; open for a pause; then one call tries.

    Each call takes a ticket and hands it back with its outcome. A ticket from before the last change of state is
    worth nothing any more: how an old call ended must not pass for the outcome of the one that tries.
    """

    _calls: int
    _failures: int
    _calls_before: int
    _failures_before: int
    _turned_at: float

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ticket = 1
        self.state = State.CLOSED
        self._try_at = 0.0
        self._forget()

    def begin(self) -> int:
        """A ticket for a call, or REFUSED."""
        if self.state is State.OPEN and self._clock() >= self._try_at:
            self._change(State.HALF_OPEN)
            return self._ticket
        return self._ticket if self.state is State.CLOSED else REFUSED

    def succeeded(self, ticket: int) -> None:
        """There was an answer."""
        if ticket != self._ticket:
            return
        if self.state is State.HALF_OPEN:
            self._change(State.CLOSED)
        else:
            self._turn()
            self._calls += 1

    def failed(self, ticket: int) -> None:
        """There was none."""
        if ticket != self._ticket:
            return
        if self.state is State.CLOSED:
            self._turn()
            self._calls += 1
            self._failures += 1
            if not self._intolerable():
                return
        self._open()

    def abandoned(self, ticket: int) -> None:
        """Whoever called went away before the outcome: the next call may try instead."""
        if ticket == self._ticket and self.state is State.HALF_OPEN:
            self._change(State.OPEN)

    def _intolerable(self) -> bool:
        calls, failures = self._calls + self._calls_before, self._failures + self._failures_before
        return calls >= LEAST_CALLS and failures >= calls * TOLERATED_RATE

    def _turn(self) -> None:
        """The window is kept as two halves, the older of which is forgotten when the newer is over."""
        age = self._clock() - self._turned_at
        if age < WINDOW_SECONDS / 2:
            return
        before = (self._calls, self._failures) if age < WINDOW_SECONDS else (0, 0)
        self._forget()
        self._calls_before, self._failures_before = before

    def _open(self) -> None:
        self._try_at = self._clock() + PAUSE_SECONDS
        self._change(State.OPEN)

    def _change(self, state: State) -> None:
        self.state = state
        self._ticket += 1
        self._forget()

    def _forget(self) -> None:
        self._calls = self._failures = self._calls_before = self._failures_before = 0
        self._turned_at = self._clock()
