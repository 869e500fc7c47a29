"""Answers as the API reference shows them."""

from typing import Any

SYSTEM_HEALTH: dict[str, Any] = {
    "database": {"status": "healthy", "connected": True},
    "metrics": {
        "total_organizations": 5,
        "total_patients": 3250,
        "active_patients": 185,
        "configured_services": {"cliniko": 5, "chatwoot": 0},
    },
    "integrations": {"cliniko": {"status": "operational", "total_connections": 5, "healthy_connections": 5}},
    "timestamp": "2025-06-30T12:00:00.000Z",
}
AUDIT_PAGE: dict[str, Any] = {
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "entries": [
        {
            "position": 1204,
            "kind": "records.read",
            "occurred_at": "2025-06-30T11:58:12.345Z",
            "recorded_at": "2025-06-30T11:58:12.410Z",
            "request_id": "00000000-0000-4000-8000-000000000001",
            "user_id": "user_example",
            "role": "member",
            "impersonator": "user_of_support",
            "patient_ids": ["f1ef3023-1eac-55be-b4a6-cff30ba93542"],
            "other_patients": 49,
            "details": {"route": "/api/v1/patients/{organization_id}/patients", "patient_count": 50},
            "previous": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        }
    ],
    "next_cursor": 1204,
    "by_user": [
        {
            "user_id": "user_example",
            "impersonator": "user_of_support",
            "entries": 17,
            "first_at": "2025-06-02T08:15:00.120Z",
            "last_at": "2025-06-30T11:58:12.345Z",
        }
    ],
    "timestamp": "2025-06-30T12:00:00.000Z",
}
CLEANUP: dict[str, Any] = {
    "success": True,
    "days_cleaned": 90,
    "cleanup_results": [
        "Deleted 850 old audit logs",
        "Kept 120400 audit logs: none goes before it is 6 years old",
        "Deleting sync logs of 12 organizations; their audit will say how many went",
    ],
    "completed_at": "2025-06-30T12:00:00.000Z",
}
