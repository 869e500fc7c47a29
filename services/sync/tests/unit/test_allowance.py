from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sync.domain.allowance import LONGEST_PAUSE_SECONDS, WINDOW_SECONDS, Allowance, Urgency

arrivals = st.lists(st.tuples(st.floats(0, 40), st.integers(1, 30)), max_size=40)


@given(arrivals, st.integers(1, 50))
def test_no_minute_ever_has_more_requests_than_the_limit(steps: Sequence[tuple[float, int]], limit: int) -> None:
    allowance, now, left = Allowance(), 1_000.0, []
    for pause, wanted in steps:
        now += pause
        allowance, grant = allowance.take(now, [Urgency.ATTENDED] * wanted, limit)
        left += [now] * grant.granted
    assert all(sum(start <= at < start + WINDOW_SECONDS for at in left) <= limit for start in left)


@given(arrivals)
def test_whoever_waits_as_long_as_told_may_go(steps: Sequence[tuple[float, int]]) -> None:
    allowance, now = Allowance(), 1_000.0
    for pause, wanted in steps:
        allowance, grant = allowance.take(now + pause, [Urgency.ATTENDED] * wanted, 20)
        now += pause
        if grant.granted < wanted:
            allowance, grant = allowance.take(now + grant.wait_seconds, [Urgency.ATTENDED], 20)
            now += grant.wait_seconds
            assert grant.granted == 1


def test_a_whole_limit_goes_at_once_but_the_schedule_leaves_some_to_people() -> None:
    allowance, grant = Allowance().take(0, [Urgency.SCHEDULED] * 300)
    assert grant.granted == 162
    allowance, grant = allowance.take(1, [Urgency.REQUESTED] * 300)
    assert grant.granted == 174 - 162
    allowance, grant = allowance.take(2, [Urgency.ATTENDED] * 300)
    assert (grant.granted, grant.used) == (180 - 174, 180)
    assert grant.wait_seconds == 61 - 2
    assert allowance.take(61, [Urgency.ATTENDED] * 300)[1].granted == 162


def test_a_pause_lets_nobody_go_and_ends_in_time_whatever_is_asked_for() -> None:
    paused = Allowance().pause(100, 1e9)
    _, grant = paused.take(110, [Urgency.ATTENDED])
    assert (grant.granted, grant.wait_seconds) == (0, LONGEST_PAUSE_SECONDS - 10)
    assert paused.take(190, [Urgency.ATTENDED])[1].granted == 1


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    assert Allowance().pause(100, 60).pause(101, 1).take(130, [Urgency.ATTENDED])[1].granted == 0


def test_a_clock_that_is_set_back_by_hours_locks_nobody_out() -> None:
    allowance, _ = Allowance().take(90_000, [Urgency.ATTENDED] * 180)
    assert allowance.pause(90_000, 60).take(1_000, [Urgency.ATTENDED])[1].granted == 1
