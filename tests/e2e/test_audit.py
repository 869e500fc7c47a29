"""Who was shown whose records: from a read to the answer the operators get, in a chain that holds."""

import time
from typing import Any

import httpx
from tests.conftest import HARBOUR, System

PATIENCE_SECONDS = 30.0


def trail(system: System, **parameters: str) -> list[dict[str, Any]]:
    operator = system.command("token", "--operator").stdout.strip()
    headers = {"authorization": f"Bearer {operator}"}
    answer = httpx.get(system.url(f"/api/v1/admin/audit/{HARBOUR}"), params=parameters, headers=headers)
    entries: list[dict[str, Any]] = answer.raise_for_status().json()["entries"]
    return entries


def test_who_was_shown_a_patient_is_answered_by_one_request(system: System) -> None:
    path = f"/api/v1/patients/{HARBOUR}/patients"
    shown = system.call("GET", path, HARBOUR, role="member").raise_for_status()
    patient, request_id = shown.json()["patients"][0]["id"], shown.headers["x-request-id"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while request_id not in {entry["request_id"] for entry in trail(system, patient_id=patient, kind="records.read")}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "records.read" not in {entry["kind"] for entry in trail(system, kind="sync.ended")}
    assert system.call("GET", f"/api/v1/admin/audit/{HARBOUR}", HARBOUR).status_code == 403


def test_the_chains_hold(system: System) -> None:
    verified = system.command("audit", "verify", HARBOUR)
    assert "The audit chain is whole." in verified.stdout
    assert system.command("audit", "verify", "org_nowhere", check=False).returncode == 1
