import time
from collections.abc import Callable

import httpx
import pytest

from cliniko_emulator.accounts import Account
from cliniko_emulator.limits import RateLimit

ONE, OTHER = Account("MS0-one-au1", seed=1, patients=3), Account("MS0-other-au1", seed=2, patients=3)


def test_a_request_over_the_limit_says_when_to_come_back(start: Callable[..., str]) -> None:
    with httpx.Client(base_url=start(ONE, OTHER, rate_limit=3) + "/au1/v1") as client:
        began = time.time()
        statuses = [client.get("/user", auth=(ONE.key, "")).status_code for _ in range(4)]
        refused = client.get("/user", auth=("MS0-one", ""))
        assert statuses == [200, 200, 200, 429]
        assert refused.status_code == 429
        assert began + 59 < int(refused.headers["X-RateLimit-Reset"]) <= time.time() + 61
        assert client.get("/user", auth=(OTHER.key, "")).status_code == 200, "each user has a limit of its own"


def test_the_window_opens_with_the_first_request_and_lasts_a_minute() -> None:
    now = 1000.5
    limit = RateLimit(clock=lambda: now)
    assert [limit.refused_until("a", 2) for _ in range(3)] == [None, None, 1061]
    now = 1060.4
    assert limit.refused_until("a", 2) == 1061
    now = 1060.5
    assert [limit.refused_until("a", 2) for _ in range(3)] == [None, None, 1121]


def test_the_limit_and_the_latency_change_while_it_runs(own: httpx.Client) -> None:
    changed = own.patch("/_control/settings", json={"rate_limit": 2, "latency_ms": 50})
    assert changed.json() == {"latency_ms": 50, "rate_limit": 2, "fail_next": None}
    assert own.get("/_control/settings").json() == changed.json()
    began = time.monotonic()
    assert [own.get("/au4/v1/user").status_code for _ in range(3)] == [200, 200, 429]
    assert time.monotonic() - began >= 0.15


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_the_next_requests_fail_as_ordered_and_then_no_more(own: httpx.Client, status: int) -> None:
    own.patch("/_control/settings", json={"fail_next": {"status": status, "times": 2}}).raise_for_status()
    answers = [own.get("/au4/v1/user") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert ("X-RateLimit-Reset" in answers[0].headers) == (status == 429)
    assert own.get("/_control/settings").json()["fail_next"] is None


@pytest.mark.parametrize(
    "wanted",
    [
        {"rate_limits": 1},
        {"latency_ms": -1},
        {"rate_limit": "many"},
        {"fail_next": {"status": 200}},
        {"fail_next": 500},
    ],
)
def test_an_impossible_setting_is_refused_and_changes_nothing(own: httpx.Client, wanted: dict[str, object]) -> None:
    before = own.get("/_control/settings").json()
    assert own.patch("/_control/settings", json={"rate_limit": 7} | wanted).status_code == 422
    assert own.get("/_control/settings").json() == before
