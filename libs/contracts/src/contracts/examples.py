"""One synthetic example of every event: for the documents, and for the tests of producers and consumers."""

from datetime import UTC, datetime
from uuid import UUID

from contracts.base import Event
from contracts.events import (
    AccessRefused,
    AppointmentsSynced,
    AppointmentTypesSynced,
    BatchApplied,
    CleanupRequested,
    ConnectionChanged,
    FiguresCounted,
    OrganizationDeleted,
    PatientErased,
    PatientRecordsRead,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    RedriveSettled,
    ScheduleChanged,
    SyncLogsRemoved,
    SyncRunChanged,
)
from contracts.records import (
    AppointmentRecord,
    AppointmentTypeRecord,
    PatientRecord,
    PhoneNumber,
    PractitionerRecord,
    Removal,
)

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
BATCH = UUID("00000000-0000-4000-8000-000000000001")
COMMON = {"organization_id": "org_example", "occurred_at": NOON, "event_id": BATCH, "request_id": None}
SYNC_ID = "sync_org_example_20250630_120000"
RECORD = {"created_at": datetime(2024, 1, 15, 9, tzinfo=UTC), "updated_at": NOON, "sequence": 1}

EXAMPLES: tuple[Event, ...] = (
    PatientsSynced.model_validate(
        {
            **COMMON,
            "sync_id": SYNC_ID,
            "records": [
                PatientRecord.model_validate(
                    {
                        **RECORD,
                        "cliniko_patient_id": "12345",
                        "first_name": "Ada",
                        "last_name": "Example",
                        "email": "ada@example.com",
                        "phone_numbers": [PhoneNumber(type="Mobile", number="0412 345 678")],
                    }
                )
            ],
        }
    ),
    AppointmentsSynced.model_validate(
        {
            **COMMON,
            "sync_id": SYNC_ID,
            "records": [
                AppointmentRecord.model_validate(
                    {
                        **RECORD,
                        "cliniko_appointment_id": "54321",
                        "cliniko_patient_id": "12345",
                        "appointment_type_id": "7",
                        "practitioner_id": "8",
                        "starts_at": datetime(2025, 7, 2, 10, tzinfo=UTC),
                        "ends_at": datetime(2025, 7, 2, 10, 45, tzinfo=UTC),
                        "notes": "Lower back pain treatment",
                    }
                )
            ],
        }
    ),
    AppointmentTypesSynced.model_validate(
        {
            **COMMON,
            "sync_id": SYNC_ID,
            "records": [
                AppointmentTypeRecord.model_validate({**RECORD, "appointment_type_id": "7", "name": "Physiotherapy"})
            ],
        }
    ),
    PractitionersSynced.model_validate(
        {
            **COMMON,
            "sync_id": SYNC_ID,
            "records": [PractitionerRecord.model_validate({**RECORD, "practitioner_id": "8", "name": "Sam Sample"})],
        }
    ),
    RecordsRemoved.model_validate(
        {**COMMON, "sync_id": SYNC_ID, "patients": [Removal(cliniko_id="12346", sequence=2)]}
    ),
    SyncRunChanged.model_validate(
        {
            **COMMON,
            "sync_id": SYNC_ID,
            "revision": 3,
            "mode": "comprehensive",
            "status": "completed",
            "full_sweep": True,
            "started_at": NOON,
            "completed_at": datetime(2025, 6, 30, 12, 6, tzinfo=UTC),
            "records_processed": 947,
            "records_success": 947,
            "patients_processed": 651,
            "appointments_processed": 296,
            "patients_reported": 650,
        }
    ),
    ConnectionChanged.model_validate(
        {**COMMON, "revision": 1, "connected": True, "credentials_valid": True, "region": "au4"}
    ),
    BatchApplied.model_validate({**COMMON, "consumer": "patients", "batch_id": BATCH, "sync_id": SYNC_ID}),
    FiguresCounted.model_validate({**COMMON, "total_patients": 650, "active_patients": 37}),
    PatientRecordsRead.model_validate(
        {
            **COMMON,
            "user_id": "user_example",
            "role": "member",
            "route": "/api/v1/patients/{organization_id}/patients",
            "patient_count": 1,
            "patient_ids": ["f1ef3023-1eac-55be-b4a6-cff30ba93542"],
        }
    ),
    PatientErased.model_validate(
        {
            **COMMON,
            "patient_id": "d2cdddd0-25f8-5c2a-ae43-b1dd9ddebd2c",
            "cliniko_patient_id": "12347",
            "user_id": "user_example",
        }
    ),
    AccessRefused.model_validate(
        {
            **COMMON,
            "wanted_organization_id": "org_elsewhere",
            "reason": "other_organization",
            "user_id": "user_example",
            "method": "GET",
            "route": "/api/v1/patients/{organization_id}/*",
            "count": 3,
            "last_at": datetime(2025, 6, 30, 12, 0, 4, tzinfo=UTC),
        }
    ),
    ScheduleChanged.model_validate({**COMMON, "enabled": False, "user_id": "user_example", "role": "admin"}),
    OrganizationDeleted.model_validate(COMMON),
    CleanupRequested.model_validate({**COMMON, "days_old": 90, "user_id": "user_operator"}),
    SyncLogsRemoved.model_validate({**COMMON, "removed": 1250, "days_old": 90, "user_id": "user_operator"}),
    RedriveSettled.model_validate(
        {
            **COMMON,
            "letter_id": "5b1c2f64-6f0e-4d86-9a40-0e6c7c0d9b11",
            "queue": "patients.sync.patients.synced.v1",
            "outcome": "dead",
            "reason": "ValueError",
        }
    ),
)
