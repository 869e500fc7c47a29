"""The dashboard over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.analytics.tests.conftest import Analytics

from contracts.events import AppointmentsSynced, ConnectionChanged, PatientsSynced, SyncRunChanged
from contracts.records import AppointmentRecord, PatientRecord

LONG_AGO = datetime(2024, 1, 15, 9, tzinfo=UTC)


def patients(organization_id: str, count: int) -> PatientsSynced:
    version = {"created_at": LONG_AGO, "updated_at": LONG_AGO, "sequence": 1}
    records = [PatientRecord.model_validate({**version, "cliniko_patient_id": str(n)}) for n in range(count)]
    return PatientsSynced(organization_id=organization_id, sync_id="sync_1", records=tuple(records))


def appointments(organization_id: str, *starts: tuple[str, timedelta]) -> AppointmentsSynced:
    """For each a patient's id and how far from now it starts."""
    version = {"created_at": LONG_AGO, "updated_at": LONG_AGO, "sequence": 1}
    records = [
        AppointmentRecord.model_validate(
            {
                **version,
                "cliniko_appointment_id": str(number),
                "cliniko_patient_id": patient,
                "starts_at": datetime.now(UTC) + distance,
            }
        )
        for number, (patient, distance) in enumerate(starts)
    ]
    return AppointmentsSynced(organization_id=organization_id, sync_id="sync_1", records=tuple(records))


def run(organization_id: str, number: int = 1, **different: Any) -> SyncRunChanged:
    started = datetime(2025, 6, 30, tzinfo=UTC) + timedelta(hours=number)
    completed = {
        "sync_id": f"sync_{number}",
        "revision": 2,
        "mode": "comprehensive",
        "status": "completed",
        "full_sweep": True,
        "started_at": started,
        "completed_at": started + timedelta(minutes=6),
        "records_processed": 7,
        "records_success": 7,
        "patients_reported": 4,
    }
    return SyncRunChanged.model_validate({"organization_id": organization_id, **completed, **different})


def connected(organization_id: str) -> ConnectionChanged:
    return ConnectionChanged(organization_id=organization_id, revision=1, connected=True, credentials_valid=True)


async def test_a_synced_clinic_reads_as_the_reference_says(analytics: Analytics) -> None:
    day = timedelta(days=1)
    await analytics.receive(
        connected("org_a"),
        patients("org_a", 3),
        appointments("org_a", ("0", 2 * day), ("0", -2 * day), ("0", -90 * day), ("1", -90 * day)),
        run("org_a"),
    )

    response = await analytics.get("/api/v1/dashboard/org_a", caller_of="org_a")

    assert response.status_code == 200
    document = response.json()
    assert set(document) == {"success", "organization_id", "summary", "recent_activity", "timestamp"}
    assert document["success"] is True
    summary, (activity,) = document["summary"], document["recent_activity"]
    assert summary.pop("generated_at") == document["timestamp"]
    assert summary == {
        "organization_id": "org_a",
        "total_patients": 3,
        "active_patients": 1,
        "patients_with_upcoming": 1,
        "patients_with_recent": 1,
        "total_upcoming_appointments": 1,
        "total_recent_appointments": 1,
        "total_all_appointments": 4,
        "avg_upcoming_per_patient": 1.0,
        "avg_recent_per_patient": 1.0,
        "avg_total_per_patient": 3.0,
        "engagement_rate": 33.3,
        "last_sync_time": "2025-06-30T01:06:00.000Z",
        "synced_patients": 3,
        "sync_percentage": 75.0,
        "integration_status": "Connected",
        "activity_status": "Active",
    }
    assert activity.pop("minutes_ago") > 0
    assert activity == {
        "id": "sync_1",
        "source_system": "cliniko",
        "operation_type": "comprehensive_sync",
        "status": "completed",
        "records_processed": 7,
        "records_success": 7,
        "records_failed": 0,
        "started_at": "2025-06-30T01:00:00.000Z",
        "completed_at": "2025-06-30T01:06:00.000Z",
        "activity_type": "sync",
        "description": "Comprehensive patient and appointment sync",
    }


async def test_an_organization_nothing_is_known_of_reads_as_zeros_and_nulls(analytics: Analytics) -> None:
    response = await analytics.get("/api/v1/dashboard/org_new", caller_of="org_new")

    assert response.status_code == 200
    assert response.json()["recent_activity"] == []
    told = {key: value for key, value in response.json()["summary"].items() if value}
    assert told.pop("generated_at")
    assert told == {
        "organization_id": "org_new",
        "integration_status": "Not Connected",
        "activity_status": "Inactive",
    }
    assert response.json()["summary"]["last_sync_time"] is None


async def test_the_summary_alone_is_the_bare_object(analytics: Analytics) -> None:
    await analytics.receive(patients("org_a", 2))
    whole = (await analytics.get("/api/v1/dashboard/org_a", caller_of="org_a")).json()["summary"]
    alone = (await analytics.get("/api/v1/dashboard/org_a/summary", caller_of="org_a")).json()
    assert alone.pop("generated_at") >= whole.pop("generated_at")
    assert alone == whole


async def test_the_activity_alone_is_a_bare_array_newest_first(analytics: Analytics) -> None:
    await analytics.receive(*(run("org_a", number) for number in range(25)))
    response = await analytics.get("/api/v1/dashboard/org_a/activity", caller_of="org_a")
    assert [entry["id"] for entry in response.json()] == [f"sync_{number}" for number in range(24, 4, -1)]


async def test_the_dashboard_tells_ten_syncs_or_as_many_as_asked_for(analytics: Analytics) -> None:
    await analytics.receive(*(run("org_a", number) for number in range(12)))
    for query, count in (("", 10), ("?activity_limit=1", 1), ("?activity_limit=12", 12), ("?activity_limit=100", 12)):
        response = await analytics.get(f"/api/v1/dashboard/org_a{query}", caller_of="org_a")
        assert len(response.json()["recent_activity"]) == count


async def test_a_limit_out_of_bounds_is_refused(analytics: Analytics) -> None:
    queries = (
        "?activity_limit=0",
        "?activity_limit=101",
        "?activity_limit=all",
        "/activity?limit=0",
        "/activity?limit=101",
    )
    for query in queries:
        response = await analytics.get(f"/api/v1/dashboard/org_a{query}", caller_of="org_a")
        assert (response.status_code, response.json()["error"]) == (400, "Validation error"), query


async def test_a_run_under_way_shows_at_once_and_leaves_the_last_completed_in_place(analytics: Analytics) -> None:
    await analytics.receive(connected("org_a"), run("org_a", 1))
    await analytics.receive(run("org_a", 2, status="running", completed_at=None, patients_reported=None))

    document = (await analytics.get("/api/v1/dashboard/org_a", caller_of="org_a")).json()

    assert [(entry["status"], entry["completed_at"]) for entry in document["recent_activity"]] == [
        ("running", None),
        ("completed", "2025-06-30T01:06:00.000Z"),
    ]
    assert document["summary"]["last_sync_time"] == "2025-06-30T01:06:00.000Z"
    assert document["summary"]["integration_status"] == "Connected"


async def test_a_cancelled_run_leaves_the_integration_as_it_was(analytics: Analytics) -> None:
    for organization_id, before, status in (("org_a", "completed", "Connected"), ("org_b", "failed", "Partial")):
        runs = run(organization_id, 1, status=before), run(organization_id, 2, status="cancelled")
        await analytics.receive(connected(organization_id), *runs)
        summary = (await analytics.get(f"/api/v1/dashboard/{organization_id}/summary", organization_id)).json()
        assert summary["integration_status"] == status
