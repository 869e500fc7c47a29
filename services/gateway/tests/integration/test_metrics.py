import math
import re
from typing import Any

import httpx

PATH = "/api/v1/patients/org_north/patients"


async def test_everything_an_operator_watches_is_counted(start_gateway: Any, clerk: Any) -> None:
    gateway = await start_gateway(clerk_api_url=clerk.issuer, clerk_secret_key=clerk.secret_key)
    for _ in range(3):
        await gateway.get(PATH, headers=clerk.bearer())
    await gateway.get("/api/v1/dashboard/org_south", headers=clerk.bearer())
    for _ in range(52):
        await gateway.get("/api/v1/admin/x")
    found = samples(await gateway.get("/metrics"))
    route = '{method="GET",route="/api/v1/patients/{organization_id}/*",service="patients",status="200"}'
    assert found[f"routiq_gateway_requests_total{route}"] >= 3
    for name in (
        'routiq_gateway_request_seconds_count{route="/api/v1/patients/{organization_id}/*"}',
        "routiq_gateway_own_seconds_count",
        'routiq_gateway_service_seconds_count{service="patients"}',
        'routiq_gateway_rate_limited_total{tier="admin"}',
        'routiq_gateway_tokens_total{outcome="verified"}',
        'routiq_gateway_memberships_total{outcome="fetched"}',
        'routiq_gateway_jwks_fetches_total{outcome="fetched"}',
        'routiq_gateway_service_connections{service="patients"}',
    ):
        assert found[name] > 0, name
    assert 0 <= found["routiq_gateway_jwks_age_seconds"] < 300
    for service in ("patients", "sync", "analytics", "admin", "clerk"):
        assert found[f'routiq_gateway_breaker_state{{service="{service}"}}'] == 0


async def test_without_a_broker_nobody_is_told_that_it_is_away(gateway: httpx.AsyncClient) -> None:
    assert math.isnan(samples(await gateway.get("/metrics"))["routiq_broker_connected"])


async def test_what_clients_make_up_adds_no_series(gateway: httpx.AsyncClient) -> None:
    async def ask(n: int) -> None:
        await gateway.request("PROPFIND", f"/{n}")
        await gateway.get(f"/api/v{n}/x?{n}", headers={"Authorization": f"Bearer {n}", "X-Organization-ID": f"org_{n}"})

    await ask(0)
    before = samples(await gateway.get("/metrics")).keys()
    for n in range(2, 20):
        await ask(n)
    added = samples(await gateway.get("/metrics")).keys() - before
    assert {name for name in added if 'route="/metrics"' not in name} == set()


def samples(answer: httpx.Response) -> dict[str, float]:
    lines = (line for line in answer.text.splitlines() if line.startswith("routiq_"))
    return {name: float(value) for name, value in (re.split(r" (?=[^ ]+$)", line) for line in lines)}
