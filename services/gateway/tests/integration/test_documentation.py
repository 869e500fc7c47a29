"""`/openapi.json`, `/docs` and `/redoc` as a client gets them; a browser opens them in the tests of the whole."""

import asyncio
import re
from typing import Any

import httpx
import pytest

FOREIGN = re.compile(r'(?:src|href)="(?:https?:)?//')
PATIENTS = "/api/v1/patients/{organization_id}/patients"


def one_path(path: str, summary: str = "") -> dict[str, Any]:
    operation = {"summary": summary, "responses": {"200": {"description": "Fine."}}}
    return {"openapi": "3.1.0", "paths": {path: {"get": operation}}}


async def heard(gateway: httpx.AsyncClient, path: str, summary: str = "") -> dict[str, Any]:
    """The document once this path is in it."""
    async with asyncio.timeout(20):
        while True:
            document = (await gateway.get("/openapi.json")).json()
            found = document["paths"].get(path)
            if found and found["get"]["summary"] == summary:
                return dict(document)
            await asyncio.sleep(0.2)


async def test_the_document_is_json_and_open_to_anybody(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert "/health" in answer.json()["paths"]


async def test_a_service_that_is_away_leaves_its_last_part(start_gateway: Any, services: dict[str, Any]) -> None:
    services["patients"].described = one_path(PATIENTS)
    services["sync"].described = one_path("/api/v1/sync/scheduler/status", "Before")
    gateway = await start_gateway(admin_url="http://127.0.0.1:9", clerk_authorized_parties=())
    await heard(gateway, PATIENTS)
    services["patients"].described = None
    services["sync"].described = one_path("/api/v1/sync/scheduler/status", "After")
    document = await heard(gateway, "/api/v1/sync/scheduler/status", "After")
    assert PATIENTS in document["paths"]


@pytest.mark.parametrize("nonsense", [[], {"paths": 1}, {}, "text"])
async def test_what_is_no_document_is_not_taken_for_one(
    start_gateway: Any, services: dict[str, Any], nonsense: Any
) -> None:
    services["patients"].described = nonsense
    services["sync"].described = one_path("/api/v1/sync/scheduler/status")
    gateway = await start_gateway()
    document = await heard(gateway, "/api/v1/sync/scheduler/status")
    assert not any(path.startswith("/api/v1/patients") for path in document["paths"])


async def test_an_unchanged_document_is_not_sent_again(gateway: httpx.AsyncClient) -> None:
    first = await gateway.get("/openapi.json")
    again = await gateway.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_loads_nothing_from_elsewhere_and_runs_no_script_of_its_own(
    gateway: httpx.AsyncClient, page: str
) -> None:
    answer = await gateway.get(page)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert not FOREIGN.search(answer.text)
    assert "<script>" not in answer.text
    (policy,) = answer.headers.get_list("Content-Security-Policy")
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_what_a_page_loads_is_there_and_may_be_kept(gateway: httpx.AsyncClient, page: str) -> None:
    text = (await gateway.get(page)).text
    loaded = re.findall(r'(?:src|href)="(/[^"]+)"', text)
    assert len(loaded) == 3
    for address in loaded:
        answer = await gateway.get(address)
        assert answer.status_code == 200
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        expected = "text/css" if ".css" in address else "text/javascript"
        assert answer.headers["Content-Type"] == f"{expected}; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_no_other_file_can_be_had(gateway: httpx.AsyncClient) -> None:
    for path in ("/docs/", "/docs/own.json", "/docs/../main.py", "/docs/%2e%2e/main.py", "/redoc/LICENSE"):
        assert (await gateway.get(path)).status_code == 404
