"""Every call the two web clients make to what the API reference has, with the headers they send and the keys they read.

The clinic's frontend and the operators' sync dashboard send a content type and the organization with each call, with
GET as well; what they read must be there and of its type, or the page shows nothing.
"""

from types import UnionType
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from tests.conftest import RIDGE, System

pytestmark = pytest.mark.e2e
Maybe = str | None
Number = int | float
Shape = dict[str, Any] | list[Any] | type | UnionType

PATIENT: Shape = {
    "id": str, "name": str, "phone": Maybe, "email": Maybe, "cliniko_patient_id": str, "is_active": bool,
    "recent_appointment_count": int, "upcoming_appointment_count": int, "total_appointment_count": int,
    "last_appointment_date": Maybe, "next_appointment_time": Maybe, "next_appointment_type": Maybe,
    "primary_appointment_type": Maybe, "treatment_notes": Maybe, "created_at": str, "updated_at": str,
    "recent_appointments": [{"id": str, "date": str, "type": Maybe, "notes": Maybe}],
    "upcoming_appointments": [{"id": str, "date": str, "type": Maybe, "notes": Maybe}],
}  # fmt: skip
PATIENTS: Shape = {"organization_id": str, "patients": [PATIENT], "total_count": int, "timestamp": str}
URGENT: Shape = {
    "patients": [{"priority": str, "hours_until_next_appointment": Number | None}],
    "total_count": int,
}
RUN: Shape = {"sync_id": str, "status": str, "started_at": str, "completed_at": Maybe}
STARTED: Shape = {"success": bool, "message": str, "organization_id": str, "sync_id": str}
COMPARED: Shape = {"current": int, "previous": int, "change_percentage": Number | None}
TREND: Shape = {
    "timeframe": str,
    "totals": {"bookings": COMPARED, "new_patients": COMPARED, "active_patients": COMPARED, "no_shows": COMPARED},
}


class Call(NamedTuple):
    """One method of a client."""

    method: str
    path: str
    read: Shape


FRONTEND = (
    Call("GET", "/health", {"status": str, "timestamp": str, "version": str, "environment": {}}),
    Call("GET", "/api/v1/auth/verify", {"authenticated": bool, "organization_id": str, "message": str}),
    Call("GET", "/api/v1/auth/organization/{org}/access", {"organization_id": str, "access_granted": bool}),
    Call(
        "GET",
        "/api/v1/dashboard/{org}",
        {
            "success": bool,
            "organization_id": str,
            "summary": {
                "total_patients": int,
                "active_patients": int,
                "patients_with_upcoming": int,
                "patients_with_recent": int,
                "engagement_rate": Number,
                "last_sync_time": str,
                "integration_status": str,
            },
            "recent_activity": [
                {"id": str, "operation_type": str, "status": str, "started_at": str, "completed_at": Maybe}
            ],
        },
    ),
    Call("GET", "/api/v1/dashboard/{org}/summary", {"total_patients": int, "sync_percentage": Number}),
    Call("GET", "/api/v1/dashboard/{org}/activity?limit=20", [{"id": str, "status": str, "minutes_ago": Number}]),
    *(Call("GET", f"/api/v1/dashboard/{{org}}/analytics?timeframe={days}", TREND) for days in ("7d", "30d", "90d")),
    *(Call("GET", f"/api/v1/dashboard/{{org}}/charts?timeframe={days}", TREND) for days in ("7d", "30d", "1y")),
    Call("GET", "/api/v1/patients/{org}/patients", PATIENTS),
    Call("GET", "/api/v1/patients/{org}/patients/with-appointments", URGENT),
    Call(
        "GET", f"/api/v1/patients/{{org}}/patients/by-appointment-type/{quote('Physio / Rehab Review', '')}", PATIENTS
    ),
    Call("POST", "/api/v1/sync/trigger", {"message": str, "sync_started": bool, "sync_id": str}),
    Call(
        "GET",
        "/api/v1/sync/scheduler/status",
        {"sync_running": bool, "last_sync_time": str, "scheduler_active": bool, "message": str},
    ),
)
SYNC_DASHBOARD = (
    Call(
        "GET",
        "/api/v1/cliniko/status/{org}",
        {"cliniko_connected": bool, "total_patients": int, "last_sync": str, "credentials_valid": bool},
    ),
    Call(
        "GET",
        "/api/v1/cliniko/test-connection/{org}",
        {"success": bool, "total_patients_available": int, "practitioners_count": int, "api_url": str, "message": str},
    ),
    Call(
        "GET",
        "/api/v1/patients/{org}/active/summary",
        {
            "total_active_patients": int,
            "patients_with_recent_appointments": int,
            "patients_with_upcoming_appointments": int,
            "avg_recent_appointments": Number,
            "avg_total_appointments": Number,
            "last_sync_date": str,
        },
    ),
    Call(
        "GET",
        "/api/v1/patients/{org}/patients/appointment-types/summary",
        {"appointment_types": [{"patient_count": int, "patients_with_upcoming": int}], "total_types": int},
    ),
    Call(
        "GET",
        "/api/v1/sync/history/{org}?limit=10",
        {
            "total_syncs": int,
            "successful_syncs": int,
            "failed_syncs": int,
            "last_sync_at": str,
            "average_sync_duration_seconds": Number,
            "recent_syncs": [RUN],
        },
    ),
    Call("POST", "/api/v1/cliniko/import-patients/{org}", STARTED),
    Call("POST", "/api/v1/cliniko/sync/{org}", STARTED),
    Call("POST", "/api/v1/cliniko/sync/{org}?mode=basic", STARTED),
)


def made(system: System, call: Call) -> httpx.Response:
    """The call as a client makes it: without a body, and with a content type all the same."""
    headers = {"content-type": "application/json", "x-organization-id": RIDGE}
    return system.call(call.method, call.path.format(org=RIDGE), RIDGE, headers=headers)


def missing(content: Any, shape: Shape, at: str = "") -> list[str]:
    """Where what a client reads is not there, or of another type."""
    if isinstance(shape, dict):
        absent = [f"{at}.{key}" for key in shape if key not in content]
        return absent + [
            wrong for key in shape.keys() & content.keys() for wrong in missing(content[key], shape[key], f"{at}.{key}")
        ]
    if isinstance(shape, list):
        return [wrong for number, one in enumerate(content) for wrong in missing(one, shape[0], f"{at}[{number}]")]
    typed = isinstance(content, shape) and not (isinstance(content, bool) and shape is not bool)
    return [] if typed else [f"{at}: {type(content).__name__}"]


@pytest.mark.parametrize("call", [*FRONTEND, *SYNC_DASHBOARD], ids=lambda call: f"{call.method} {call.path}")
def test_a_client_is_answered_what_it_reads(system: System, call: Call) -> None:
    answer = made(system, call)
    assert answer.status_code == 200, answer.text
    assert missing(answer.json(), call.read) == []
    if call.method == "POST":
        system.until_completed(RIDGE, answer.json()["sync_id"])


def test_a_sync_is_followed_to_its_end(system: System) -> None:
    sync_id = made(system, Call("POST", "/api/v1/cliniko/sync/{org}?mode=patients-only", STARTED)).json()["sync_id"]
    again = made(system, Call("POST", "/api/v1/sync/scheduler/trigger", STARTED)).json()
    assert again["sync_id"] == sync_id or again["sync_started"]
    system.until_completed(RIDGE, sync_id)
    system.until_completed(RIDGE, again["sync_id"])
    shape = {"sync_id": str, "status": str, "progress_percentage": Number, "current_step": str, "total_steps": int}
    assert missing(made(system, Call("GET", f"/api/v1/sync/progress/{sync_id}", shape)).json(), shape) == []


def test_what_is_not_in_the_reference_is_an_error_a_client_can_show(system: System) -> None:
    """Calls of earlier days."""
    for path in ("/api/v1/clerk/database-summary", "/api/v1/reengagement/{org}/risk-metrics", "/api/v1/sync/active"):
        answer = made(system, Call("GET", path, {}))
        assert answer.status_code == 404
        assert missing(answer.json(), {"error": str, "detail": str, "timestamp": str, "path": str}) == []
