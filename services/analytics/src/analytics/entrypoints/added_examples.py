"""Answers of the endpoints that the API reference does not have."""

from typing import Any


def _compared(current: int, previous: int, change: float) -> dict[str, Any]:
    return {"current": current, "previous": previous, "change_percentage": change}


_DAY: dict[str, Any] = {
    "bookings": _compared(9, 6, 50.0),
    "appointments": _compared(7, 7, 0.0),
    "cancellations": _compared(1, 2, -50.0),
    "no_shows": _compared(1, 2, -50.0),
}
_COMMON: dict[str, Any] = {
    "success": True,
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "timeframe": "7d",
    "period": {"first_day": "2025-06-24", "last_day": "2025-06-30"},
    "previous_period": {"first_day": "2025-06-17", "last_day": "2025-06-23"},
    "totals": {**_DAY, "new_patients": _compared(3, 4, -25.0), "active_patients": _compared(6, 5, 20.0)},
    "last_sync_time": "2025-06-30T11:06:00.000Z",
    "timestamp": "2025-06-30T12:00:00.000Z",
}

ANALYTICS: dict[str, Any] = {
    **_COMMON,
    "by_appointment_type": [{"id": "7", "name": "Physiotherapy", **_DAY, "active_patients": _compared(6, 5, 20.0)}],
    "by_practitioner": [{"id": "8", "name": "Robin Example", **_DAY, "active_patients": _compared(6, 5, 20.0)}],
}
CHARTS: dict[str, Any] = {
    **_COMMON,
    "granularity": "day",
    "points": [{"first_day": "2025-06-30", "last_day": "2025-06-30", **_COMMON["totals"]}],
}
RETENTION: dict[str, Any] = {
    "success": True,
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "patients": [
        {
            "cliniko_patient_id": "12345",
            "risk": "high",
            "reasons": ["usual_interval_passed", "last_appointment_missed"],
            "visits": 6,
            "last_visit_at": "2025-05-29T09:30:00.000Z",
            "days_since_last_visit": 32,
            "usual_interval_days": 21,
        }
    ],
    "total_count": 58,
    "counts": {"high": 21, "medium": 9, "low": 28, "lost": 214},
    "next_cursor": "WzQsIjIwMjUtMDUtMjlUMDk6MzA6MDBaIiwiMTIzNDUiXQ==",
    "last_sync_time": "2025-06-30T11:06:00.000Z",
    "timestamp": "2025-06-30T12:00:00.000Z",
}
