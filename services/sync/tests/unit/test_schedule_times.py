from datetime import UTC, datetime, timedelta

from sync.domain.schedule import DAY, HOUR, back_off, next_due

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)


def test_a_clinic_has_its_own_minute_of_every_hour_for_ever() -> None:
    first = next_due("org_a", NOON, HOUR)
    assert NOON < first <= NOON + HOUR
    assert next_due("org_a", first, HOUR) == first + HOUR
    assert next_due("org_a", first - timedelta(seconds=1), HOUR) == first
    assert next_due("org_a", first + timedelta(days=400), HOUR) == first + timedelta(days=400) + HOUR


def test_the_daily_run_falls_on_one_of_the_hourly_ones() -> None:
    daily = next_due("org_a", NOON, DAY)
    assert NOON < daily <= NOON + DAY
    assert (daily - next_due("org_a", NOON, HOUR)) % HOUR == timedelta(0)


def test_many_clinics_are_spread_over_the_hour_and_the_day() -> None:
    clinics = [f"org_clinic_{number}" for number in range(1200)]
    for period in (HOUR, DAY):
        twelfths = [0] * 12
        for clinic in clinics:
            twelfths[int((next_due(clinic, NOON, period) - NOON) / period * 12) % 12] += 1
        assert min(twelfths) > 60
        assert max(twelfths) < 150


def test_a_failing_clinic_is_left_alone_ever_longer_and_for_an_hour_at_most() -> None:
    waits = [back_off(failures) for failures in range(1, 200)]
    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert waits == sorted(waits)
    assert waits[-1] == HOUR
