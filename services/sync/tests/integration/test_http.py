"""The sync service's own endpoints, as the gateway calls them."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.identity import HEADER, Caller, sign

ORGANIZATION = "org_test_clinic"
KEY = "MS0-test-clinic-au4"
IDENTITY_KEY = b"k" * 32


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sync") as opened:
        yield opened


def signed(role: str = "admin", organization_id: str = ORGANIZATION) -> dict[str, str]:
    caller = Caller(organization_id, "user_1", role, "r" * 32)  # type: ignore[arg-type] # a role from a parameter
    return {HEADER: sign(caller, "sync", IDENTITY_KEY, time.time())}


async def connect(client: httpx.AsyncClient, api_key: str = KEY, role: str = "admin") -> httpx.Response:
    path = f"/api/v1/cliniko/connection/{ORGANIZATION}"
    return await client.put(path, json={"api_key": api_key}, headers=signed(role))


async def trigger(client: httpx.AsyncClient, query: str = "") -> httpx.Response:
    return await client.post(f"/api/v1/cliniko/sync/{ORGANIZATION}{query}", headers=signed("member"))


async def test_a_key_is_stored_after_cliniko_accepted_it_and_never_returned(client: httpx.AsyncClient) -> None:
    answer = await connect(client, f"  {KEY}\n")
    assert answer.status_code == 200
    assert answer.json()["api_region"] == "au4"
    assert "test-clinic" not in answer.text.replace(ORGANIZATION, "")


@pytest.mark.parametrize(
    "api_key",
    ["MS0-wrong-au4", "MS0-test-clinic-uk1", " ", "", "k\u0000y-au4", "MS0-abc-au\u0661", "schlüssel-au4", "x" * 513],
)
async def test_a_wrong_key_is_refused_with_a_reason_and_not_stored(client: httpx.AsyncClient, api_key: str) -> None:
    answer = await connect(client, api_key)
    assert (answer.status_code, answer.json()["error"]) == (400, "Validation error")
    assert (await trigger(client)).status_code == 409


async def test_with_cliniko_away_the_key_is_not_judged(client: httpx.AsyncClient, cliniko: Any) -> None:
    await cliniko.settings(fail_next={"status": 503, "times": 1})
    assert (await connect(client)).status_code == 503


async def test_only_an_administrator_connects_and_any_member_starts_a_sync(client: httpx.AsyncClient) -> None:
    assert (await connect(client, role="member")).status_code == 403
    await connect(client)
    started = (await trigger(client)).json()
    assert started["success"] is True
    assert started["sync_started"] is True
    assert started["message"] == "Comprehensive Cliniko sync started successfully"
    assert started["sync_mode"] == "comprehensive"


async def test_a_second_trigger_answers_with_the_running_sync(client: httpx.AsyncClient) -> None:
    await connect(client)
    first, second = (await trigger(client)).json(), (await trigger(client, "?mode=basic")).json()
    assert (second["sync_started"], second["sync_id"]) == (False, first["sync_id"])
    assert second["sync_mode"] == "comprehensive"


async def test_an_unknown_mode_is_refused_and_the_valid_ones_are_named(client: httpx.AsyncClient) -> None:
    answer = await trigger(client, "?mode=everything")
    assert answer.status_code == 400
    assert all(mode in answer.json()["detail"] for mode in ("comprehensive", "basic", "patients-only"))


async def test_force_full_means_comprehensive(client: httpx.AsyncClient) -> None:
    await connect(client)
    assert (await trigger(client, "?mode=basic&force_full=true")).json()["sync_mode"] == "comprehensive"


async def test_progress_has_the_keys_of_the_reference_and_is_its_organizations_only(client: httpx.AsyncClient) -> None:
    await connect(client)
    sync_id = (await trigger(client)).json()["sync_id"]
    path = f"/api/v1/sync/progress/{sync_id}"
    progress = (await client.get(path, headers=signed())).json()
    assert progress["status"] == "queued"
    assert (progress["total_steps"], progress["completed_steps"], progress["progress_percentage"]) == (4, 0, 0.0)
    assert progress["estimated_completion"] is None
    assert (await client.get(path, headers=signed(organization_id="org_other"))).status_code == 404


@pytest.mark.parametrize("sync_id", ["sync_nothing", "%00", "sync_org_a_20250630_12000%D9%A1"])
async def test_what_is_no_run_is_not_found(client: httpx.AsyncClient, sync_id: str) -> None:
    assert (await client.get(f"/api/v1/sync/progress/{sync_id}", headers=signed())).status_code == 404


async def test_half_a_character_in_a_key_is_refused(client: httpx.AsyncClient) -> None:
    path = f"/api/v1/cliniko/connection/{ORGANIZATION}"
    headers = {**signed(), "content-type": "application/json"}
    answer = await client.put(path, content=b'{"api_key": "\\ud800-au4"}', headers=headers)
    assert answer.status_code == 400


async def test_a_disconnected_clinic_cannot_sync(client: httpx.AsyncClient) -> None:
    await connect(client)
    path = f"/api/v1/cliniko/connection/{ORGANIZATION}"
    assert (await client.delete(path, headers=signed("member"))).status_code == 403
    for _ in range(2):
        assert (await client.delete(path, headers=signed())).json()["cliniko_connected"] is False
    assert (await trigger(client)).status_code == 409
