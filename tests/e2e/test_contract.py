"""The first requests of a clinic's frontend, answered as the contract says, by the whole system."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import HARBOUR, KEYS, RIDGE, System
from tests.independent import Clinic, ClinikoAccount, is_version_5

pytestmark = pytest.mark.e2e
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SHARDS = {HARBOUR: "au4", RIDGE: "uk1"}


def clinic_of(system: System, organization: str) -> Clinic:
    return Clinic.read(ClinikoAccount(f"{system.cliniko}/{SHARDS[organization]}/v1", KEYS[organization]))


def everyone(system: System, organization: str) -> list[dict[str, Any]]:
    """Every listed patient of a small clinic, active or not."""
    path = f"/api/v1/patients/{organization}/patients?active=all&limit=1000"
    patients: list[dict[str, Any]] = system.get(path, organization)["patients"]
    return patients


def documented(name: str) -> set[str]:
    """The keys of a response in the reference."""
    keys: dict[str, list[str]] = json.loads((Path(__file__).parent / "reference_keys.json").read_text())
    return set(keys[name])


@pytest.mark.parametrize("organization", [HARBOUR, RIDGE])
def test_every_figure_of_the_dashboard_equals_an_independent_walk_of_cliniko(system: System, organization: str) -> None:
    answer = system.get(f"/api/v1/dashboard/{organization}", organization, role="member")
    summary = answer["summary"]
    expected = clinic_of(system, organization).dashboard(datetime.fromisoformat(summary["generated_at"]))
    assert {key: summary[key] for key in expected} == expected
    assert (summary["integration_status"], summary["activity_status"]) == ("Connected", "Active")
    assert answer["recent_activity"][0]["status"] == "completed"
    assert answer.keys() >= documented("dashboard")
    assert summary.keys() >= documented("dashboard.summary")
    assert answer["recent_activity"][0].keys() >= documented("dashboard.recent_activity")


@pytest.mark.parametrize("organization", [HARBOUR, RIDGE])
def test_the_active_patients_are_the_ones_cliniko_knows_field_by_field(system: System, organization: str) -> None:
    answer = system.get(f"/api/v1/patients/{organization}/patients", organization, role="member")
    now, patients = datetime.fromisoformat(answer["timestamp"]), answer["patients"]
    expected = clinic_of(system, organization).patient_list(now)
    assert answer["total_count"] == len(patients) == len(expected)
    for patient, wanted in zip(patients, expected, strict=True):
        assert {key: patient[key] for key in wanted} == wanted
        assert patient.keys() >= documented("patient")
        assert is_version_5(patient["id"])
        assert len(patient["recent_appointments"]) == patient["recent_appointment_count"]
        assert len(patient["upcoming_appointments"]) == patient["upcoming_appointment_count"]


def test_timestamps_have_milliseconds_and_z_everywhere(system: System) -> None:
    found: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, str) and (key.endswith(("_at", "_time", "_date")) or key in ("timestamp", "date")):
                    found.append(inner)
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)

    for path in ("patients/{}/patients", "dashboard/{}"):
        collect(system.get("/api/v1/" + path.format(HARBOUR), HARBOUR))
    assert found
    assert [text for text in found if not TIMESTAMP.fullmatch(text)] == []


def test_each_clinic_sees_its_own_data_only(system: System) -> None:
    for path in ("patients/{}/patients", "dashboard/{}", "cliniko/sync/{}"):
        method = "POST" if path.startswith("cliniko") else "GET"
        refused = system.call(method, "/api/v1/" + path.format(RIDGE), HARBOUR)
        assert refused.status_code == 403
        assert refused.json()["error"] == "Access denied"
    ids = [
        {
            p["cliniko_patient_id"]
            for p in system.get(f"/api/v1/patients/{one}/patients?active=all&limit=1000", one)["patients"]
        }
        for one in (HARBOUR, RIDGE)
    ]
    assert all(ids)
    assert not ids[0] & ids[1]


def test_a_run_of_another_clinic_reads_as_not_found(system: System) -> None:
    sync_id = system.get(f"/api/v1/dashboard/{RIDGE}", RIDGE)["recent_activity"][0]["id"]
    assert system.call("GET", f"/api/v1/sync/progress/{sync_id}", HARBOUR).status_code == 404
    progress = system.get(f"/api/v1/sync/progress/{sync_id}", RIDGE)
    assert progress.keys() >= documented("progress")
    assert (progress["status"], progress["progress_percentage"]) == ("completed", 100.0)
    assert progress["total_steps"] == progress["completed_steps"] == 4


def test_a_clinic_that_is_not_connected_has_zeros_and_cannot_sync(system: System) -> None:
    empty = system.get("/api/v1/dashboard/org_nobody", "org_nobody")["summary"]
    assert (empty["total_patients"], empty["last_sync_time"], empty["integration_status"]) == (0, None, "Not Connected")
    assert system.get("/api/v1/patients/org_nobody/patients", "org_nobody")["patients"] == []
    refused = system.call("POST", "/api/v1/cliniko/sync/org_nobody", "org_nobody")
    assert (refused.status_code, refused.json()["error"]) == (409, "Conflict")


def test_the_operators_see_the_sum_of_the_clinics(system: System) -> None:
    operator = system.command("token", "--operator").stdout.strip()
    path = system.url("/api/v1/admin/monitoring/system-health")
    health = httpx.get(path, headers={"authorization": f"Bearer {operator}"}).raise_for_status().json()
    totals = [system.get(f"/api/v1/dashboard/{one}", one)["summary"] for one in (HARBOUR, RIDGE)]
    assert health["metrics"]["total_patients"] == sum(one["total_patients"] for one in totals)
    assert health["integrations"]["cliniko"]["status"] == "operational"
    assert health["database"] == {"status": "healthy", "connected": True}
    assert system.call("GET", "/api/v1/admin/monitoring/system-health", HARBOUR).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", f"/api/v1/patients/{HARBOUR}/patients", {"authorization": "Bearer wrong"}, None, 401),
        ("GET", f"/api/v1/patients/{HARBOUR}/patients", {"authorization": ""}, None, 401),
        ("GET", "/api/v1/patients/clinic-7/patients", {}, None, 400),
        ("GET", f"/api/v1/patients/{HARBOUR}/patients", {"x-organization-id": RIDGE}, None, 400),
        ("GET", f"/api/v1/patients/{HARBOUR}/patients?limit=0", {}, None, 400),
        ("GET", "/api/v1/nowhere", {}, None, 404),
        ("DELETE", "/health", {}, None, 405),
        ("PUT", f"/api/v1/cliniko/connection/{HARBOUR}", {}, b"{", 400),
        ("PUT", f"/api/v1/cliniko/connection/{HARBOUR}", {}, b"[]", 400),
        ("PUT", f"/api/v1/cliniko/connection/{HARBOUR}", {}, b'{"api_key": 7}', 400),
        ("PUT", f"/api/v1/cliniko/connection/{HARBOUR}", {}, b'{"api_key": "wrong-au4"}', 400),
        ("PUT", f"/api/v1/cliniko/connection/{HARBOUR}", {}, b'{"api_key": "caf\xc3\xa9 \\n-au4"}', 400),
        ("POST", f"/api/v1/cliniko/sync/{HARBOUR}?mode=everything", {}, None, 400),
        ("GET", "/api/v1/sync/progress/sync_nothing", {}, None, 404),
    ],
)
def test_bad_input_gets_the_contracts_error_and_never_a_traceback(
    system: System, method: str, path: str, headers: dict[str, str], body: bytes | None, status: int
) -> None:
    sent = {"content-type": "application/json", **headers}
    response = system.call(method, path, HARBOUR, headers=sent, content=body)
    assert response.status_code == status, response.text
    assert response.json().keys() >= {"error", "detail", "timestamp", "path"}
    assert "Traceback" not in response.text
    assert response.headers["x-request-id"]
    assert int(response.headers["x-ratelimit-limit"]) >= int(response.headers["x-ratelimit-remaining"]) >= 0


def test_a_member_may_not_change_the_connection(system: System) -> None:
    path = f"/api/v1/cliniko/connection/{HARBOUR}"
    refused = system.call("PUT", path, HARBOUR, role="member", json={"api_key": KEYS[HARBOUR]})
    assert refused.status_code == 403


def test_a_second_up_says_that_it_runs_already_and_changes_nothing(system: System) -> None:
    before = system.process("gateway")["pid"]
    again = system.command("up", "--detach")
    assert "running already" in again.stdout
    assert system.process("gateway")["pid"] == before


def test_a_sync_from_the_command_line_completes_and_the_dashboard_can_be_read(system: System) -> None:
    assert "100.0 %" in system.command("sync", RIDGE, "--mode", "patients-only").stdout
    assert "Connected" in system.command("dashboard", RIDGE).stdout


def test_no_log_holds_a_patients_name_a_note_or_a_key(system: System) -> None:
    patients = everyone(system, HARBOUR)
    canaries = {p["name"] for p in patients if len(p["name"]) > 8 and not p["name"].startswith("Patient ")}
    canaries |= {p["email"] for p in patients if p["email"]} | {
        p["phone"] for p in patients if len(p["phone"] or "") > 8
    }
    canaries |= {p["treatment_notes"] for p in patients if p["treatment_notes"]} | set(KEYS.values())
    assert len(canaries) > 500
    services = ("gateway", "patients", "sync", "analytics", "admin", "broker", "postgres", "supervisor")
    logs = {name: (system.home / ".routiq" / "logs" / f"{name}.log").read_text(errors="replace") for name in services}
    assert all(len(text) > 200 for name, text in logs.items() if name not in ("supervisor", "broker"))
    assert [(name, one) for name, text in logs.items() for one in canaries if one in text] == []
