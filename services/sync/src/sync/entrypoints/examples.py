"""Answers as the API reference shows them."""

import json
from typing import Any

_ORGANIZATION = "org_2xwHiNrj68eaRUlX10anlXGvzX7"
_NOW = "2025-06-30T12:00:00.000Z"
_SYNC_ID = f"sync_{_ORGANIZATION}_20250630_120000"

CONNECTED: dict[str, Any] = {
    "success": True,
    "message": "Cliniko is connected",
    "organization_id": _ORGANIZATION,
    "api_region": "au4",
    "cliniko_connected": True,
    "timestamp": _NOW,
}
DISCONNECTED: dict[str, Any] = {
    "success": True,
    "message": "Cliniko is disconnected",
    "organization_id": _ORGANIZATION,
    "cliniko_connected": False,
    "timestamp": _NOW,
}
SYNC_STARTED: dict[str, Any] = {
    "success": True,
    "message": "Comprehensive Cliniko sync started successfully",
    "organization_id": _ORGANIZATION,
    "sync_mode": "comprehensive",
    "sync_id": _SYNC_ID,
    "sync_started": True,
    "timestamp": _NOW,
}
SYNC_TRIGGERED: dict[str, Any] = {
    "message": "Sync started successfully",
    "sync_started": True,
    "organization_id": _ORGANIZATION,
    "sync_id": _SYNC_ID,
    "sync_mode": "comprehensive",
    "timestamp": _NOW,
}
SYNC_CANCELLED: dict[str, Any] = {
    "success": True,
    "message": "Sync cancelled",
    "organization_id": _ORGANIZATION,
    "sync_id": _SYNC_ID,
    "status": "cancelled",
    "timestamp": _NOW,
}
PROGRESS: dict[str, Any] = {
    "sync_id": _SYNC_ID,
    "organization_id": _ORGANIZATION,
    "status": "running",
    "progress_percentage": 75.5,
    "current_step": "Processing appointments",
    "total_steps": 4,
    "completed_steps": 3,
    "started_at": _NOW,
    "estimated_completion": "2025-06-30T12:06:00.000Z",
    "records_processed": 490,
    "records_total": 650,
    "records_failed": 0,
    "sync_mode": "comprehensive",
    "completed_at": None,
    "failure": None,
}
PROGRESS_EVENT = f"""event: progress
data: {json.dumps(PROGRESS)}
id: running-2-3.490.0.412.650
retry: 2000

"""
HISTORY: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "total_syncs": 48,
    "successful_syncs": 47,
    "failed_syncs": 1,
    "cancelled_syncs": 0,
    "last_sync_at": "2025-06-30T11:06:00.000Z",
    "last_successful_sync_at": "2025-06-30T11:06:00.000Z",
    "average_sync_duration_seconds": 360.5,
    "recent_syncs": [
        {
            "sync_id": f"sync_{_ORGANIZATION}_20250630_110000",
            "started_at": "2025-06-30T11:00:00.000Z",
            "completed_at": "2025-06-30T11:06:00.000Z",
            "status": "completed",
            "records_processed": 947,
            "records_success": 947,
            "records_failed": 0,
            "failure": None,
            "scheduled": True,
            "metadata": {
                "sync_type": "comprehensive",
                "patients_processed": 651,
                "appointments_processed": 296,
            },
        }
    ],
}
SCHEDULER_STATUS: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "sync_running": False,
    "last_sync_time": "2025-06-30T11:06:00.000Z",
    "scheduler_active": True,
    "message": "Scheduler status retrieved successfully",
    "sync_id": None,
    "schedule_enabled": True,
    "paused_reason": None,
    "next_sync_at": "2025-06-30T12:23:08.000Z",
}
SCHEDULE_PAUSED: dict[str, Any] = {
    "success": True,
    "message": "The schedule is paused",
    "organization_id": _ORGANIZATION,
    "schedule_enabled": False,
    "paused_reason": "paused_by_administrator",
    "next_sync_at": None,
    "timestamp": _NOW,
}
REJECTED: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "rejected": [
        {
            "kind": "appointments",
            "cliniko_id": "54321",
            "reason": "starts_at: missing",
            "sync_id": _SYNC_ID,
        }
    ],
    "total_count": 1,
    "next_cursor": None,
    "timestamp": _NOW,
}
CLINIKO_STATUS: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "cliniko_connected": True,
    "api_region": "au4",
    "last_sync": "2025-06-30T11:06:00.000Z",
    "total_patients": 650,
    "sync_enabled": True,
    "credentials_valid": True,
    "paused_reason": None,
}
CONNECTION_TESTED: dict[str, Any] = {
    "success": True,
    "message": "Cliniko answered",
    "organization_id": _ORGANIZATION,
    "api_region": "au4",
    "api_url": "https://api.au4.cliniko.com/v1",
    "practitioners_count": 8,
    "total_patients_available": 650,
    "response_time_ms": 212.4,
    "error": None,
    "timestamp": _NOW,
}
DEBUG: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "connection": {
        "connected": True,
        "credentials_valid": True,
        "api_region": "au4",
        "changed_at": "2025-06-01T09:00:00.000Z",
    },
    "paused_reason": None,
    "next_sync_at": "2025-06-30T12:23:08.000Z",
    "syncs": {
        "total": 48,
        "completed": 47,
        "failed": 1,
        "cancelled": 0,
        "last_full_sweep_at": "2025-06-30T03:23:40.000Z",
    },
    "records": {"patients": 651, "appointments": 1247, "appointment_types": 12, "practitioners": 8},
    "records_set_aside": 0,
    "last_errors": [
        {
            "sync_id": f"sync_{_ORGANIZATION}_20250612_042308",
            "at": "2025-06-12T04:25:31.000Z",
            "failure": "Cliniko could not be reached. Please try again later.",
        }
    ],
    "field_presence": {"patients": {"email": 0.91, "phone_numbers": 0.97}, "appointments": {"notes": 0.42}},
    "timestamp": _NOW,
}
