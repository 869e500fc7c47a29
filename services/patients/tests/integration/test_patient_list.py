from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic

from contracts.records import PhoneNumber
from patients.domain.patient import patient_id

KEYS = [
    "id", "name", "phone", "email", "cliniko_patient_id", "is_active", "activity_status", "recent_appointment_count",
    "upcoming_appointment_count", "total_appointment_count", "first_appointment_date", "last_appointment_date",
    "next_appointment_time", "next_appointment_type", "primary_appointment_type", "treatment_notes",
    "recent_appointments", "upcoming_appointments", "last_synced_at", "created_at", "updated_at",
]  # fmt: skip


async def test_a_patient_reads_as_the_contract_shows(clinic: Clinic) -> None:
    mobile = PhoneNumber(type="Mobile", number="0412 345 678")
    await clinic.hears(
        clinic.page(
            clinic.patient(
                12345, first_name=" Ada", last_name="Example ", email="ada@example.com", phone_numbers=[mobile]
            )
        ),
        clinic.page(clinic.type(7, "Physiotherapy")),
        clinic.page(clinic.practitioner(8, "Sam Sample")),
        clinic.page(
            clinic.appointment(1, 12345, NOON - DAY, appointment_type_id="7", practitioner_id="8", notes="Lower back"),
            clinic.appointment(
                2, 12345, NOON + DAY, ends_at=NOON + DAY + HOUR, appointment_type_id="7", patient_arrived=True
            ),
        ),
        clinic.run(NOON - HOUR),
    )
    answer = await clinic.get("patients")
    assert list(answer) == ["organization_id", "patients", "total_count", "timestamp", "next_cursor"]
    assert answer["organization_id"] == clinic.organization_id
    assert answer["total_count"] == 1
    assert answer["timestamp"] == "2025-06-30T12:00:00.000Z"
    assert answer["next_cursor"] is None
    (patient,) = answer["patients"]
    assert list(patient) == KEYS
    assert patient == {
        "id": str(patient_id(clinic.organization_id, "12345")),
        "name": "Ada Example",
        "phone": "0412345678",
        "email": "ada@example.com",
        "cliniko_patient_id": "12345",
        "is_active": True,
        "activity_status": "active",
        "recent_appointment_count": 1,
        "upcoming_appointment_count": 1,
        "total_appointment_count": 2,
        "first_appointment_date": "2025-06-29T12:00:00.000Z",
        "last_appointment_date": "2025-06-29T12:00:00.000Z",
        "next_appointment_time": "2025-07-01T12:00:00.000Z",
        "next_appointment_type": "Physiotherapy",
        "primary_appointment_type": "Physiotherapy",
        "treatment_notes": "Lower back",
        "recent_appointments": [
            {
                "id": "1",
                "date": "2025-06-29T12:00:00.000Z",
                "type": "Physiotherapy",
                "notes": "Lower back",
                "practitioner": "Sam Sample",
                "ends_at": None,
                "status": "booked",
            }
        ],
        "upcoming_appointments": [
            {
                "id": "2",
                "date": "2025-07-01T12:00:00.000Z",
                "type": "Physiotherapy",
                "notes": None,
                "practitioner": None,
                "ends_at": "2025-07-01T13:00:00.000Z",
                "status": "arrived",
            }
        ],
        "last_synced_at": "2025-06-30T12:00:00.000Z",
        "created_at": "2024-05-26T12:00:00.000Z",
        "updated_at": "2025-06-30T12:00:00.000Z",
    }
