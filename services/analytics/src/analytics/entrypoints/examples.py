"""Answers as the API reference shows them."""

from typing import Any

SUMMARY: dict[str, Any] = {
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "total_patients": 650,
    "active_patients": 37,
    "patients_with_upcoming": 24,
    "patients_with_recent": 32,
    "total_upcoming_appointments": 28,
    "total_recent_appointments": 45,
    "total_all_appointments": 1247,
    "avg_upcoming_per_patient": 0.76,
    "avg_recent_per_patient": 1.22,
    "avg_total_per_patient": 33.7,
    "engagement_rate": 5.7,
    "last_sync_time": "2025-06-30T11:06:00.000Z",
    "synced_patients": 650,
    "sync_percentage": 100.0,
    "integration_status": "Connected",
    "activity_status": "Active",
    "generated_at": "2025-06-30T12:00:00.000Z",
}
ACTIVITY: dict[str, Any] = {
    "id": "sync_org_2xwHiNrj68eaRUlX10anlXGvzX7_20250630_110000",
    "source_system": "cliniko",
    "operation_type": "comprehensive_sync",
    "status": "completed",
    "records_processed": 651,
    "records_success": 651,
    "records_failed": 0,
    "started_at": "2025-06-30T11:00:00.000Z",
    "completed_at": "2025-06-30T11:06:00.000Z",
    "activity_type": "sync",
    "description": "Comprehensive patient and appointment sync",
    "minutes_ago": 54.0,
}
DASHBOARD: dict[str, Any] = {
    "success": True,
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "summary": SUMMARY,
    "recent_activity": [ACTIVITY],
    "timestamp": "2025-06-30T12:00:00.000Z",
}
