from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.domain.breaker import LEAST_CALLS, PAUSE_SECONDS, REFUSED, WINDOW_SECONDS, Breaker, State


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(LEAST_CALLS):
        breaker.failed(breaker.begin())
    return breaker, clock


def test_a_few_failures_say_nothing() -> None:
    breaker = Breaker(Clock())
    for _ in range(LEAST_CALLS - 1):
        breaker.failed(breaker.begin())
    assert breaker.begin() != REFUSED


def test_when_half_of_the_calls_fail_it_opens() -> None:
    breaker = Breaker(Clock())
    for outcome in [breaker.succeeded] * LEAST_CALLS + [breaker.failed] * (LEAST_CALLS - 1):
        outcome(breaker.begin())
    assert breaker.state is State.CLOSED
    breaker.failed(breaker.begin())
    assert (breaker.state, breaker.begin()) == (State.OPEN, REFUSED)


def test_failures_of_long_ago_are_forgotten() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(LEAST_CALLS - 1):
        breaker.failed(breaker.begin())
    clock.now += WINDOW_SECONDS
    breaker.failed(breaker.begin())
    assert breaker.state is State.CLOSED


def test_after_the_pause_one_call_tries_and_decides() -> None:
    breaker, clock = opened()
    clock.now += PAUSE_SECONDS
    probe = breaker.begin()
    assert [breaker.begin() for _ in range(50)] == [REFUSED] * 50
    breaker.failed(probe)
    assert breaker.begin() == REFUSED
    clock.now += PAUSE_SECONDS
    breaker.succeeded(breaker.begin())
    assert breaker.state is State.CLOSED


def test_a_call_from_before_does_not_decide_for_the_one_that_tries() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    old = breaker.begin()
    for _ in range(LEAST_CALLS):
        breaker.failed(breaker.begin())
    clock.now += PAUSE_SECONDS
    probe = breaker.begin()
    breaker.succeeded(old)
    breaker.failed(old)
    assert breaker.begin() == REFUSED
    breaker.succeeded(probe)
    assert breaker.state is State.CLOSED


def test_when_the_one_that_tries_goes_away_the_next_one_tries() -> None:
    breaker, clock = opened()
    clock.now += PAUSE_SECONDS
    breaker.abandoned(breaker.begin())
    assert breaker.begin() != REFUSED


class AnyUse(RuleBasedStateMachine):
    """Calls that begin and end in any order, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(self.clock)
        self.running: list[int] = []
        self.probes: set[int] = set()
        self.opened_at = 0.0

    @rule()
    def begin(self) -> None:
        before = self.breaker.state
        ticket = self.breaker.begin()
        if before is State.CLOSED:
            assert ticket != REFUSED
        elif before is State.HALF_OPEN:
            assert ticket == REFUSED
        if ticket != REFUSED:
            self.running.append(ticket)
            if before is State.OPEN:
                assert ticket not in self.probes, "each attempt has a ticket of its own"
                self.probes.add(ticket)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 1000), how=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, which: int, how: str) -> None:
        ticket = self.running.pop(which % len(self.running))
        before = self.breaker.state
        outcome: Callable[[int], None] = getattr(self.breaker, how)
        outcome(ticket)
        if before is State.OPEN:
            assert self.breaker.state is State.OPEN, "only time ends the pause"
        if before is State.HALF_OPEN and ticket not in self.probes:
            assert self.breaker.state is State.HALF_OPEN
        if before is State.CLOSED and how != "failed":
            assert self.breaker.state is State.CLOSED
        if before is not State.OPEN and self.breaker.state is State.OPEN and how == "failed":
            self.opened_at = self.clock.now

    @rule(seconds=st.floats(0, 30))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def it_never_stays_shut(self) -> None:
        if self.breaker.state is State.OPEN and self.clock.now >= self.opened_at + PAUSE_SECONDS:
            before = len(self.running)
            self.begin()
            assert len(self.running) == before + 1

    @invariant()
    def half_open_means_somebody_tries(self) -> None:
        if self.breaker.state is State.HALF_OPEN:
            assert self.probes & set(self.running)


TestAnyUse = AnyUse.TestCase
