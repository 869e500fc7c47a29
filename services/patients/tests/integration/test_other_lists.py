"""What else is read from the same documents."""

from urllib.parse import quote

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic

LONG_TYPE = "Massage / Relax? 100%"


@pytest.fixture
async def four(clinic: Clinic) -> Clinic:
    """Two come back for physiotherapy, one tries a massage, one was here without a type; a fifth is inactive."""
    await clinic.hears(
        clinic.page(*(clinic.patient(number) for number in range(1, 6))),
        clinic.page(clinic.type(7, "Physiotherapy"), clinic.type(8, LONG_TYPE)),
        clinic.page(
            clinic.appointment(1, 1, NOON + 18.5 * HOUR, appointment_type_id="7"),
            clinic.appointment(2, 2, NOON + 60 * HOUR, appointment_type_id="7"),
            clinic.appointment(3, 3, NOON + 9 * DAY, appointment_type_id="8"),
            clinic.appointment(4, 3, NOON - 90 * DAY, appointment_type_id="7"),
            clinic.appointment(5, 3, NOON - 99 * DAY, appointment_type_id="7"),
            clinic.appointment(6, 4, NOON - DAY),
            clinic.appointment(7, 5, NOON - 99 * DAY, appointment_type_id="7"),
        ),
    )
    return clinic


async def test_with_appointments_adds_how_soon_each_patient_comes(four: Clinic) -> None:
    answer = await four.get("patients/with-appointments")
    added = ("priority", "hours_until_next_appointment", "days_until_next_appointment")
    assert [tuple(patient.pop(key) for key in added) for patient in answer["patients"]] == [
        ("high", 18.5, 0.8),
        ("medium", 60.0, 2.5),
        ("low", 216.0, 9.0),
        ("low", None, None),
    ]
    assert answer == await four.get("patients")


@pytest.mark.parametrize(
    ("appointment_type", "patients"),
    [("Physiotherapy", ["1", "2", "3"]), (LONG_TYPE, ["3"]), ("physiotherapy", []), ("None", []), ("a\0b", [])],
)
async def test_by_appointment_type_lists_those_whose_next_or_primary_type_it_is(
    four: Clinic, appointment_type: str, patients: list[str]
) -> None:
    answer = await four.get(f"patients/by-appointment-type/{quote(appointment_type, safe='')}")
    assert [patient["cliniko_patient_id"] for patient in answer["patients"]] == patients
    assert answer["total_count"] == len(patients)
    assert answer["appointment_type"] == appointment_type


async def test_the_summary_of_types_groups_active_patients(four: Clinic) -> None:
    none = {"patients_with_upcoming": 0, "earliest_upcoming": None, "latest_upcoming": None}
    answer = await four.get("patients/appointment-types/summary")
    assert answer == {
        "organization_id": four.organization_id,
        "appointment_types": [
            {
                "next_appointment_type": "Physiotherapy",
                "primary_appointment_type": "Physiotherapy",
                "patient_count": 2,
                "patients_with_upcoming": 2,
                "earliest_upcoming": "2025-07-01T06:30:00.000Z",
                "latest_upcoming": "2025-07-03T00:00:00.000Z",
            },
            {
                "next_appointment_type": LONG_TYPE,
                "primary_appointment_type": "Physiotherapy",
                "patient_count": 1,
                "patients_with_upcoming": 1,
                "earliest_upcoming": "2025-07-09T12:00:00.000Z",
                "latest_upcoming": "2025-07-09T12:00:00.000Z",
            },
            {"next_appointment_type": None, "primary_appointment_type": None, "patient_count": 1, **none},
        ],
        "total_types": 3,
        "timestamp": "2025-06-30T12:00:00.000Z",
    }
    assert list(answer) == ["organization_id", "appointment_types", "total_types", "timestamp"]


async def test_the_active_summary_averages_over_active_patients(four: Clinic) -> None:
    before = await four.get("active/summary")
    await four.hears(four.run(NOON - HOUR, full_sweep=False))
    answer = await four.get("active/summary")
    assert answer == {
        "organization_id": four.organization_id,
        "total_active_patients": 4,
        "patients_with_recent_appointments": 1,
        "patients_with_upcoming_appointments": 3,
        "avg_recent_appointments": 0.3,
        "avg_total_appointments": 1.5,
        "last_sync_date": "2025-06-30T11:00:00.000Z",
        "timestamp": "2025-06-30T12:00:00.000Z",
    }
    assert before["last_sync_date"] is None


async def test_summaries_of_an_empty_clinic_are_zeros(clinic: Clinic) -> None:
    summary = await clinic.get("active/summary")
    types = await clinic.get("patients/appointment-types/summary")
    assert [value for value in summary.values() if isinstance(value, int | float)] == [0, 0, 0, 0.0, 0.0]
    assert (types["appointment_types"], types["total_types"]) == ([], 0)
