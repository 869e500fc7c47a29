"""Acting for another organization than the session's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.errors import Unavailable
from gateway.adapters.memberships import Memberships
from gateway.domain.breaker import LEAST_CALLS, PAUSE_SECONDS, Breaker

SOUTH = "/api/v1/patients/org_south/patients"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Backend:
    """Clerk's Backend API for one endpoint, counting who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.organizations = 250
        self.delay, self.broken = 0.0, False
        self.status = 200

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/users/{user_id}/organization_memberships", self._answer)])

    async def _answer(self, request: Request) -> Response:
        self.asked.append(f"{request.path_params['user_id']}?{request.query_params}")
        await asyncio.sleep(self.delay)
        if self.broken:
            return Response("<html>")
        limit, offset = int(request.query_params["limit"]), int(request.query_params["offset"])
        found = [
            {"organization": {"id": f"org_{n}"}, "role": "org:admin" if n == 249 else "org:member"}
            for n in range(self.organizations)
        ]
        return JSONResponse({"data": found[offset : offset + limit], "total_count": len(found)}, self.status)


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def memberships(backend: Backend, clock: Clock, serving: Any) -> AsyncIterator[Memberships]:
    async with httpx.AsyncClient() as client:
        yield Memberships(await serving(backend.app()), "sk_test_1", client, Breaker(clock), clock, capacity=3)


async def test_all_pages_are_read(memberships: Memberships, backend: Backend) -> None:
    roles = await memberships.roles("user_1")
    assert (len(roles), roles["org_0"], roles["org_249"]) == (250, "member", "admin")
    assert backend.asked == [f"user_1?limit=100&offset={offset}" for offset in (0, 100, 200)]


async def test_who_asks_at_the_same_time_shares_one_answer(memberships: Memberships, backend: Backend) -> None:
    backend.organizations, backend.delay = 1, 0.05
    await asyncio.gather(*(memberships.roles("user_1") for _ in range(50)))
    assert len(backend.asked) == 1


async def test_who_goes_away_does_not_take_the_answer_from_others(memberships: Memberships, backend: Backend) -> None:
    backend.organizations, backend.delay = 1, 0.1
    first, second = (asyncio.create_task(memberships.roles("user_1")) for _ in range(2))
    await asyncio.sleep(0.02)
    first.cancel()
    assert len(await second) == 1


async def test_memberships_are_remembered_for_a_minute_at_most(
    memberships: Memberships, backend: Backend, clock: Clock
) -> None:
    backend.organizations = 1
    for now, fetches in ((0.0, 1), (59.9, 1), (60.0, 2)):
        clock.now = now
        await memberships.roles("user_1")
        assert len(backend.asked) == fetches


async def test_no_more_users_are_remembered_than_fit(memberships: Memberships, backend: Backend) -> None:
    backend.organizations = 1
    for user in ("1", "2", "3", "4", "4", "3", "2", "1"):
        await memberships.roles(user)
    assert [asked[0] for asked in backend.asked] == ["1", "2", "3", "4", "1"]


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_without_an_answer_nobody_is_let_in(memberships: Memberships, backend: Backend, status: int) -> None:
    backend.status = status
    with pytest.raises(Unavailable):
        await memberships.roles("user_1")
    backend.status, backend.broken = 200, True
    with pytest.raises(Unavailable):
        await memberships.roles("user_1")


async def test_a_deleted_user_belongs_nowhere(memberships: Memberships, backend: Backend) -> None:
    backend.status = 404
    assert await memberships.roles("user_1") == {}


async def test_a_clerk_that_keeps_failing_is_left_alone_for_a_while(
    memberships: Memberships, backend: Backend, clock: Clock
) -> None:
    backend.broken = True
    for _ in range(LEAST_CALLS + 5):
        with pytest.raises(Unavailable):
            await memberships.roles("user_1")
    assert len(backend.asked) == LEAST_CALLS
    backend.broken, backend.organizations = False, 1
    clock.now += PAUSE_SECONDS
    assert await memberships.roles("user_1")


@pytest.fixture
async def gateway(start_gateway: Any, clerk: Any) -> Any:
    return await start_gateway(clerk_api_url=clerk.issuer, clerk_secret_key=clerk.secret_key)


async def test_a_member_acts_there_with_the_role_they_have_there(gateway: httpx.AsyncClient, clerk: Any) -> None:
    clerk.set_memberships("user_both", {"org_north": "admin", "org_south": "member"})
    for session in ({"role": "admin"}, {"org": None}):
        bearer = clerk.bearer(user="user_both", **session)
        caller = (await gateway.get(SOUTH, headers=bearer)).json()["caller"]
        assert (caller["organization_id"], caller["role"], caller["user_id"]) == ("org_south", "member", "user_both")
        verified = await gateway.get("/api/v1/auth/verify", headers={**bearer, "X-Organization-ID": "org_south"})
        assert verified.json()["organization_id"] == "org_south"


async def test_nobody_else_does(gateway: httpx.AsyncClient, clerk: Any) -> None:
    clerk.set_memberships("user_north", {"org_north": "admin"})
    for user in ("user_north", "user_unknown"):
        answer = await gateway.get(SOUTH, headers=clerk.bearer(user=user, role="admin"))
        assert (answer.status_code, answer.json()["error"]) == (403, "Access denied")


async def test_an_operator_operates_from_any_session(gateway: httpx.AsyncClient, clerk: Any) -> None:
    clerk.set_memberships("user_op", {"org_platform": "admin"})
    clerk.set_memberships("user_no", {"org_platform": "member"})
    for user, status in (("user_op", 200), ("user_no", 403)):
        headers = {**clerk.bearer(user=user, role="admin"), "X-Organization-ID": "org_platform"}
        assert (await gateway.get("/api/v1/admin/monitoring/system-health", headers=headers)).status_code == status


@pytest.mark.parametrize("wrong", [{"clerk_api_url": "http://127.0.0.1:9"}, {"clerk_secret_key": "sk_test_wrong"}])
async def test_while_clerk_cannot_be_asked_other_organizations_are_unavailable(
    start_gateway: Any, clerk: Any, wrong: dict[str, str]
) -> None:
    right = {"clerk_api_url": clerk.issuer, "clerk_secret_key": clerk.secret_key}
    gateway = await start_gateway(**{**right, **wrong})
    answer = await gateway.get(SOUTH, headers=clerk.bearer())
    assert (answer.status_code, answer.json()["error"]) == (503, "Service unavailable")
    assert (await gateway.get("/api/v1/auth/verify", headers=clerk.bearer())).status_code == 200
