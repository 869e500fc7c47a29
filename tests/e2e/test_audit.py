"""Who was shown whose records: from a read to the answer the operators get, in a chain that holds."""

import time
from typing import Any

import httpx
from tests.conftest import HARBOUR, KEYS, RIDGE, System

PATIENCE_SECONDS = 30.0


def trail(system: System, organization: str = HARBOUR, **parameters: str) -> list[dict[str, Any]]:
    operator = system.command("token", "--operator").stdout.strip()
    headers = {"authorization": f"Bearer {operator}"}
    answer = httpx.get(system.url(f"/api/v1/admin/audit/{organization}"), params=parameters, headers=headers)
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


def test_who_was_turned_away_from_a_clinic_is_on_its_record(system: System) -> None:
    for _ in range(3):
        refused = system.call("GET", f"/api/v1/patients/{HARBOUR}/patients", RIDGE, role="member")
        assert refused.status_code == 403
    told: list[dict[str, Any]] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(one["count"] for one in told) < 3:
        assert time.monotonic() < deadline
        time.sleep(2)  # operators may ask 50 times in 15 minutes
        entries = trail(system, kind="access.refused")
        told = [entry["details"] for entry in entries if entry["details"]["organization_id"] == RIDGE]
    assert {one["reason"] for one in told} == {"other_organization"}


def test_a_clinic_that_clerk_deletes_is_disconnected(system: System) -> None:
    gone = "org_gone"
    system.connect(gone, KEYS[RIDGE])
    message = {"kind": "organization.deleted", "organization_id": gone}
    sent = httpx.post(f"http://127.0.0.1:{system.environment['CLERK_PORT']}/webhooks", json=message)
    assert sent.raise_for_status().json()["status"] == 204
    deadline = time.monotonic() + PATIENCE_SECONDS
    while system.get(f"/api/v1/cliniko/status/{gone}", gone)["cliniko_connected"]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    connected, *_ = [entry for entry in trail(system, gone) if entry["details"].get("connected")]
    assert (connected["kind"], connected["role"]) == ("connection.changed", "admin")


def test_the_chains_hold(system: System) -> None:
    verified = system.command("audit", "verify", HARBOUR)
    assert "The audit chain is whole." in verified.stdout
    assert system.command("audit", "verify", "org_nowhere", check=False).returncode == 1
