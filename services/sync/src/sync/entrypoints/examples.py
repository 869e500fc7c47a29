"""Answers as the API reference shows them."""

from typing import Any

_ORGANIZATION = "org_2xwHiNrj68eaRUlX10anlXGvzX7"
_NOW = "2025-06-30T12:00:00.000Z"

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
    "sync_id": f"sync_{_ORGANIZATION}_20250630_120000",
    "sync_started": True,
    "timestamp": _NOW,
}
PROGRESS: dict[str, Any] = {
    "sync_id": f"sync_{_ORGANIZATION}_20250630_120000",
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
}
