import re
from typing import Any

import httpx
import pytest

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PATIENTS = "/api/v1/patients/org_north/patients"


async def test_the_root_says_what_this_is(gateway: httpx.AsyncClient) -> None:
    content = (await gateway.get("/")).json()
    assert ISO.fullmatch(content.pop("timestamp"))
    assert content == {
        "message": "Routiq Backend API",
        "version": "2.0.0",
        "status": "healthy",
        "docs": "/docs",
        "redoc": "/redoc",
    }


async def test_health_describes_the_system(gateway: httpx.AsyncClient) -> None:
    content = (await gateway.get("/health")).json()
    assert ISO.fullmatch(content.pop("timestamp"))
    assert content == {
        "status": "healthy",
        "version": "2.0.0",
        "environment": {
            "APP_ENV": "development",
            "PORT": "0",
            "authentication_configured": True,
            "database_configured": True,
            "encryption_configured": True,
        },
        "services": {"patients": "ready", "sync": "ready", "analytics": "ready", "admin": "ready"},
    }


async def test_health_is_degraded_when_a_service_is_not_ready_or_away(
    start_gateway: Any, services: dict[str, Any]
) -> None:
    services["patients"].is_ready = False
    gateway = await start_gateway(admin_url="http://127.0.0.1:9")
    content = await _polled(gateway)
    assert content["status"] == "degraded"
    assert content["services"] == {"patients": "not ready", "sync": "ready", "analytics": "ready", "admin": "away"}
    assert content["environment"]["database_configured"] is False
    answer = await gateway.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["checks"] == {"jwks": True, "patients": False, "sync": True, "analytics": True, "admin": False}


async def _polled(gateway: httpx.AsyncClient) -> dict[str, Any]:
    """The first health after the services were asked, and Clerk's keys fetched."""
    while True:
        checks = (await gateway.get("/health/ready")).json()["checks"]
        if checks["sync"] and checks["jwks"]:
            return dict((await gateway.get("/health")).json())


async def test_live_and_metrics_answer(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get("/health/live")).json() == {"status": "live"}
    await gateway.get("/api/v1/no/such/thing")
    metrics = await gateway.get("/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain")
    assert (
        'routiq_gateway_requests_total{method="GET",route="unmatched",service="gateway",status="404"}' in metrics.text
    )
    assert "no/such" not in metrics.text


async def test_a_head_request_gets_the_headers_alone(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api", "/docs%00", "/%2e%2e/etc"])
async def test_an_unknown_address_is_a_404_in_the_envelope(gateway: httpx.AsyncClient, path: str) -> None:
    answer = await gateway.get(path)
    content = answer.json()
    assert answer.status_code == 404
    assert ISO.fullmatch(content.pop("timestamp"))
    assert content.keys() == {"error", "detail", "path"}
    assert content["error"] == "Not found"


async def test_a_wrong_method_is_a_405_that_names_the_right_one(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/api/v1/auth/verify")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["error"] == "Method not allowed"
    assert answer.json()["path"] == "/api/v1/auth/verify"


@pytest.mark.parametrize("offered", ["0123456789abcdef0123456789ABCDEF", "0ea5b4c6-6d8e-4a1f-9d3a-111111111111"])
async def test_a_well_formed_request_id_is_kept_and_passed_on(
    gateway: httpx.AsyncClient, clerk: Any, offered: str
) -> None:
    answer = await gateway.get(PATIENTS, headers={**clerk.bearer(), "X-Request-ID": offered})
    assert answer.headers.get_list("X-Request-ID") == [offered]
    assert answer.json()["headers"]["x-request-id"] == offered
    assert answer.json()["caller"]["request_id"] == offered


@pytest.mark.parametrize("offered", [None, "", "1", "x" * 32, "0" * 33, "{0ea5b4c6-6d8e-4a1f-9d3a-111111111111}"])
async def test_any_other_request_id_is_replaced(gateway: httpx.AsyncClient, offered: str | None) -> None:
    answer = await gateway.get("/", headers={} if offered is None else {"X-Request-ID": offered})
    assert UUID.fullmatch(answer.headers["X-Request-ID"])
    assert answer.headers["X-Request-ID"] != offered


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/v1/auth/verify", PATIENTS])
async def test_every_answer_has_security_headers_and_no_banner(
    gateway: httpx.AsyncClient, clerk: Any, path: str
) -> None:
    for answer in (await gateway.get(path), await gateway.get(path, headers=clerk.bearer())):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Server" not in answer.headers
        assert len(answer.headers.get_list("Date")) == 1


async def test_a_frontend_may_read_and_another_page_may_not(gateway: httpx.AsyncClient) -> None:
    for path in ("/", "/nothing", PATIENTS):
        friend = await gateway.get(path, headers={"Origin": "https://app.example"})
        assert friend.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "X-RateLimit-Remaining" in friend.headers["Access-Control-Expose-Headers"]
        for origin in ("https://evil.example", "https://app.example.evil", "null", ""):
            stranger = await gateway.get(path, headers={"Origin": origin})
            assert "Access-Control-Allow-Origin" not in stranger.headers
            assert stranger.headers["Vary"] == "Origin"


async def test_a_preflight_needs_no_token_and_costs_nothing(gateway: httpx.AsyncClient) -> None:
    asking = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-organization-id",
    }
    for _ in range(3):
        answer = await gateway.options("/api/v1/cliniko/sync/org_north", headers=asking)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert {"Authorization", "Content-Type", "X-Organization-ID", "X-Request-ID", "If-None-Match"} <= set(
            answer.headers["Access-Control-Allow-Headers"].split(", ")
        )
        assert answer.headers["X-RateLimit-Remaining"] == "1000"


async def test_a_preflight_of_another_page_gets_no_permission(gateway: httpx.AsyncClient) -> None:
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in (await gateway.options("/", headers=asking)).headers


@pytest.mark.parametrize("name", ["X-Organization-ID", "Authorization"])
async def test_a_header_that_decides_must_not_be_there_twice(gateway: httpx.AsyncClient, clerk: Any, name: str) -> None:
    headers = [*clerk.bearer(org="org_north").items(), ("X-Organization-ID", "org_north"), (name, "org_south")]
    answer = await gateway.get(PATIENTS, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "Validation error")
