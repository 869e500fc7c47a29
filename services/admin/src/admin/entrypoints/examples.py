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
