import pytest

from gateway.domain.limits import ADMIN, API, PUBLIC, SYNC, Counters, Tier, tier_of

TWO = Tier("two", 2)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        ("/", PUBLIC),
        ("/health", PUBLIC),
        ("/api/v2", PUBLIC),
        ("/api/v1/patients/org_a/patients", API),
        ("/api/v1/synchronous", API),
        ("/api/v1/cliniko/sync/org_a", API),
        ("/api/v1/sync/trigger", SYNC),
        ("/api/v1/sync", SYNC),
        ("/api/v1/admin/x", ADMIN),
    ],
)
def test_the_tier_follows_from_the_path(path: str, tier: Tier) -> None:
    assert tier_of(path) is tier


def test_a_budget_is_spent_request_by_request_and_returns_with_the_window() -> None:
    clock = Clock()
    counters = Counters(clock)
    first = counters.count(TWO, "a")
    assert (first.limit, first.remaining, first.reset, first.retry_after) == (2, 1, 1_000_900, 900)
    clock.now += 899.5
    assert counters.count(TWO, "a").exceeded is False
    third = counters.count(TWO, "a")
    assert (third.exceeded, third.remaining, third.retry_after) == (True, 0, 1)
    clock.now += 0.5
    assert counters.count(TWO, "a").remaining == 1


def test_clients_and_tiers_are_counted_apart() -> None:
    counters = Counters(Clock())
    counters.count(TWO, "a")
    assert counters.count(TWO, "b").remaining == 1
    assert counters.count(Tier("other", 2), "a").remaining == 1


def test_looking_costs_nothing() -> None:
    counters = Counters(Clock())
    assert counters.peek(TWO, "a").remaining == 2
    counters.count(TWO, "a")
    assert counters.peek(TWO, "a").remaining == 1


def test_when_full_the_oldest_window_is_forgotten_first() -> None:
    counters = Counters(Clock(), capacity=2)
    for client in ("a", "b", "c"):
        counters.count(TWO, client)
    assert [counters.peek(TWO, client).remaining for client in ("a", "b", "c")] == [2, 1, 1]


def test_a_renewed_window_outlives_older_ones() -> None:
    clock = Clock()
    counters = Counters(clock, capacity=2)
    counters.count(TWO, "a")
    clock.now += 500
    counters.count(TWO, "b")
    clock.now += 500
    counters.count(TWO, "a")
    counters.count(TWO, "c")
    assert [counters.peek(TWO, client).remaining for client in ("a", "b", "c")] == [1, 2, 1]
