from typing import Any

import httpx
import pytest

NORTH, SOUTH = {"X-Organization-ID": "org_north"}, {"X-Organization-ID": "org_south"}


async def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["detail"]


async def test_access_to_the_own_organization_is_granted(gateway: httpx.AsyncClient, clerk: Any) -> None:
    answer = await gateway.get("/api/v1/auth/organization/org_north/access", headers=clerk.bearer())
    assert answer.status_code == 200
    assert answer.json() == {"organization_id": "org_north", "access_granted": True, "message": "Access granted"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/auth/organization/org_south/access"),
        ("GET", "/api/v1/patients/org_south/patients"),
        ("GET", "/api/v1/dashboard/org_south"),
        ("GET", "/api/v1/sync/history/org_south"),
        ("POST", "/api/v1/cliniko/sync/org_south"),
        ("PUT", "/api/v1/cliniko/connection/org_south"),
    ],
)
async def test_another_organization_in_the_path_is_denied(
    gateway: httpx.AsyncClient, clerk: Any, method: str, path: str
) -> None:
    answer = await gateway.request(method, path, headers=clerk.bearer(role="admin"))
    assert (answer.status_code, answer.json()["error"]) == (403, "Access denied")


async def test_another_organization_in_the_header_is_denied(gateway: httpx.AsyncClient, clerk: Any) -> None:
    for path in ("/api/v1/auth/verify", "/api/v1/sync/trigger"):
        assert (await gateway.get(path, headers={**clerk.bearer(), **SOUTH})).status_code == 403
        assert (await gateway.get(path, headers={**clerk.bearer(), **NORTH})).status_code == 200


async def test_path_and_header_must_agree(gateway: httpx.AsyncClient, clerk: Any) -> None:
    for organization_id in ("org_north", "org_south"):
        headers = {**clerk.bearer(), **({**SOUTH} if organization_id == "org_north" else NORTH)}
        answer = await gateway.get(f"/api/v1/dashboard/{organization_id}", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "Validation error")


@pytest.mark.parametrize("wrong", ["north", "org_", "org_north%20", "org_n%C3%B6rd", "org_x'--", "%00"])
async def test_a_malformed_organization_is_a_bad_request(gateway: httpx.AsyncClient, clerk: Any, wrong: str) -> None:
    answer = await gateway.get(f"/api/v1/dashboard/{wrong}", headers=clerk.bearer())
    assert await refusal(answer) == (400, "Validation error", "Invalid organization_id format")


async def test_a_session_without_organization_may_do_nothing(gateway: httpx.AsyncClient, clerk: Any) -> None:
    for headers in ({}, NORTH):
        answer = await gateway.get("/api/v1/auth/verify", headers={**clerk.bearer(org=None), **headers})
        assert answer.status_code == 403


async def test_the_administration_is_for_the_platforms_admins(gateway: httpx.AsyncClient, clerk: Any) -> None:
    path = "/api/v1/admin/monitoring/system-health"
    for session in ({"role": "admin"}, {"org": "org_platform", "role": "member"}):
        assert (await gateway.get(path, headers=clerk.bearer(**session))).status_code == 403
    answer = await gateway.get(path, headers=clerk.bearer(org="org_platform", role="admin"))
    assert answer.status_code == 200
    assert answer.json()["caller"]["operator"] is True
