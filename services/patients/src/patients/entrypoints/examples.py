"""Answers as the API reference shows them; nobody in them exists. FastAPI leaves out what is null."""

from typing import Any

_ORGANIZATION = "org_2xwHiNrj68eaRUlX10anlXGvzX7"
_NOW = "2025-06-30T12:00:00.000Z"

PATIENT: dict[str, Any] = {
    "id": "6f1c2a52-6d0e-5b8c-9a43-0d5b6f1c2a52",
    "name": "John Doe",
    "phone": "0412345678",
    "email": "john@example.com",
    "cliniko_patient_id": "12345",
    "is_active": True,
    "activity_status": "active",
    "recent_appointment_count": 1,
    "upcoming_appointment_count": 1,
    "total_appointment_count": 15,
    "first_appointment_date": "2024-01-15T09:00:00.000Z",
    "last_appointment_date": "2025-06-25T14:30:00.000Z",
    "next_appointment_time": "2025-07-01T06:30:00.000Z",
    "next_appointment_type": "Physiotherapy",
    "primary_appointment_type": "Physiotherapy",
    "treatment_notes": "Lower back pain treatment",
    "recent_appointments": [
        {
            "id": "67890",
            "date": "2025-06-25T14:30:00.000Z",
            "type": "Physiotherapy",
            "notes": "Lower back pain treatment",
            "practitioner": "Jane Smith",
            "ends_at": "2025-06-25T15:00:00.000Z",
            "status": "arrived",
        }
    ],
    "upcoming_appointments": [
        {
            "id": "67891",
            "date": "2025-07-01T06:30:00.000Z",
            "type": "Physiotherapy",
            "notes": "Bring the referral letter",
            "practitioner": "Jane Smith",
            "ends_at": "2025-07-01T07:00:00.000Z",
            "status": "booked",
        }
    ],
    "last_synced_at": "2025-06-30T11:00:00.000Z",
    "created_at": "2024-01-15T09:00:00.000Z",
    "updated_at": "2025-06-30T11:00:00.000Z",
}
PATIENT_WITH_URGENCY: dict[str, Any] = {
    **PATIENT,
    "priority": "high",
    "hours_until_next_appointment": 18.5,
    "days_until_next_appointment": 0.8,
}
_LIST: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "total_count": 37,
    "timestamp": _NOW,
    "next_cursor": "bmV4dC1wYWdl",
}
PATIENT_LIST: dict[str, Any] = {**_LIST, "patients": [PATIENT]}
PATIENT_LIST_WITH_URGENCY: dict[str, Any] = {**_LIST, "patients": [PATIENT_WITH_URGENCY]}
PATIENT_LIST_OF_TYPE: dict[str, Any] = {**PATIENT_LIST, "appointment_type": "Physiotherapy"}
ACTIVE_PATIENTS: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "total_active_patients": 37,
    "patients_with_recent_appointments": 32,
    "patients_with_upcoming_appointments": 24,
    "avg_recent_appointments": 1.2,
    "avg_total_appointments": 8.7,
    "last_sync_date": "2025-06-30T11:00:00.000Z",
    "timestamp": _NOW,
}
TYPES_GROUPS: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "appointment_types": [
        {
            "next_appointment_type": "Physiotherapy",
            "primary_appointment_type": "Physiotherapy",
            "patient_count": 25,
            "patients_with_upcoming": 18,
            "earliest_upcoming": "2025-07-01T09:00:00.000Z",
            "latest_upcoming": "2025-08-15T16:30:00.000Z",
        }
    ],
    "total_types": 5,
    "timestamp": _NOW,
}
DOSSIER: dict[str, Any] = {
    "organization_id": _ORGANIZATION,
    "patient": {
        **{key: PATIENT[key] for key in ("id", "cliniko_patient_id", "name", "phone", "email")},
        "archived_at": None,
        "deleted_at": None,
        "merged_at": None,
        "created_at": "2024-01-15T09:00:00.000Z",
        "updated_at": "2025-06-30T11:00:00.000Z",
    },
    "appointments": [
        {
            "id": "67890",
            "starts_at": "2025-06-25T14:30:00.000Z",
            "ends_at": "2025-06-25T15:00:00.000Z",
            "type": "Physiotherapy",
            "practitioner": "Jane Smith",
            "notes": "Lower back pain treatment",
            "patient_arrived": True,
            "did_not_arrive": False,
            "cancelled_at": None,
            "archived_at": None,
            "deleted_at": None,
            "created_at": "2025-06-01T09:00:00.000Z",
        }
    ],
    "timestamp": _NOW,
}
ERASURE: dict[str, Any] = {
    "success": True,
    "message": "The patient is erased from Routiq, and will not be taken in from Cliniko again.",
    "organization_id": _ORGANIZATION,
    "patient_id": PATIENT["id"],
    "timestamp": _NOW,
}
