import time
from typing import Any

import httpx

ADMIN = "/api/v1/admin/monitoring/system-health"


async def statuses(gateway: httpx.AsyncClient, path: str, times: int, headers: dict[str, str]) -> list[int]:
    return [(await gateway.get(path, headers=headers)).status_code for _ in range(times)]


async def test_every_answer_says_what_is_left(gateway: httpx.AsyncClient, clerk: Any) -> None:
    token = clerk.bearer()
    for path, headers, limit in (
        ("/", {}, 100),
        ("/nothing", {}, 100),
        ("/api/v1/auth/verify", {}, 1000),
        ("/api/v1/auth/verify", token, 1000),
        ("/api/v1/patients/org_south/patients", token, 1000),
        ("/api/v1/patients/org_north/patients", token, 1000),
        ("/api/v1/sync/trigger", token, 100),
        (ADMIN, token, 50),
    ):
        answer = await gateway.get(path, headers=headers)
        assert answer.headers.get_list("X-RateLimit-Limit") == [str(limit)]
        assert int(answer.headers["X-RateLimit-Remaining"]) < limit
        assert 0 < int(answer.headers["Retry-After"]) <= 900
        assert abs(int(answer.headers["X-RateLimit-Reset"]) - time.time() - int(answer.headers["Retry-After"])) <= 2


async def test_a_spent_budget_is_refused_with_its_figures(gateway: httpx.AsyncClient, clerk: Any) -> None:
    operator = clerk.bearer(org="org_platform", role="admin")
    assert await statuses(gateway, ADMIN, 51, operator) == [200] * 50 + [429]
    answer = await gateway.get(ADMIN, headers=operator)
    content = answer.json()
    seconds = content["rate_limit"]["retry_after"]
    assert content["error"] == "Rate limit exceeded"
    assert content["detail"] == f"Too many requests. Try again in {seconds} seconds."
    assert content["rate_limit"] == {
        "limit": 50,
        "remaining": 0,
        "reset_time": int(answer.headers["X-RateLimit-Reset"]),
        "retry_after": int(answer.headers["Retry-After"]),
    }
    assert answer.headers["X-RateLimit-Remaining"] == "0"


async def test_a_user_spends_only_their_own_budget_in_the_tier(gateway: httpx.AsyncClient, clerk: Any) -> None:
    one, two = clerk.bearer(user="user_1"), clerk.bearer(user="user_2")
    path = "/api/v1/sync/scheduler/status"
    assert (await statuses(gateway, path, 101, one))[-1] == 429
    assert await statuses(gateway, path, 1, two) == [200]
    assert await statuses(gateway, path, 1, clerk.bearer(user="user_1", org="org_south")) == [200]
    assert await statuses(gateway, "/api/v1/auth/verify", 1, one) == [200]


async def test_a_flood_of_bad_tokens_is_limited_and_harms_no_good_one(gateway: httpx.AsyncClient, clerk: Any) -> None:
    bad = {"Authorization": "Bearer x.y.z"}
    assert await statuses(gateway, ADMIN, 52, bad) == [401] * 50 + [429] * 2
    operator = clerk.bearer(org="org_platform", role="admin")
    assert await statuses(gateway, ADMIN, 1, operator) == [200]


async def test_machines_may_look_at_health_as_often_as_they_like(gateway: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert set(await statuses(gateway, path, 110, {})) == {200}
    assert (await gateway.get("/health/live")).headers["X-RateLimit-Remaining"] == "100"
    assert (await statuses(gateway, "/health", 101, {}))[-1] == 429


async def test_probes_are_answered_when_the_public_budget_is_spent(gateway: httpx.AsyncClient) -> None:
    assert (await statuses(gateway, "/", 101, {}))[-1] == 429
    for probe in ("/health/live", "/health/ready", "/metrics"):
        assert await statuses(gateway, probe, 1, {}) == [200]
