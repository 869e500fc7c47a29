from datetime import UTC, datetime, timedelta

import pytest

from patients.domain.urgency import urgency

NOW = datetime(2025, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (18.5, ("high", 18.5, 0.8)),
        (24, ("high", 24.0, 1.0)),
        (24.1, ("medium", 24.1, 1.0)),
        (72, ("medium", 72.0, 3.0)),
        (72.1, ("low", 72.1, 3.0)),
    ],
)
def test_the_sooner_the_next_appointment_the_higher_the_priority(
    hours: float, expected: tuple[str, float, float]
) -> None:
    assert urgency(NOW + timedelta(hours=hours), NOW) == expected


def test_without_a_next_appointment_priority_is_low_and_there_is_nothing_to_wait_for() -> None:
    assert urgency(None, NOW) == ("low", None, None)
