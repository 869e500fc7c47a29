from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.domain.facts import appointment_fact, patient_fact
from contracts.records import AppointmentRecord, PatientRecord

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
VERSION = {"created_at": NOON, "updated_at": NOON, "sequence": 1}


def appointment(**marks: Any) -> AppointmentRecord:
    ids = {"cliniko_appointment_id": "1", "cliniko_patient_id": "2"}
    return AppointmentRecord.model_validate({**VERSION, **ids, "starts_at": NOON, **marks})


def patient(**marks: Any) -> PatientRecord:
    return PatientRecord.model_validate({**VERSION, "cliniko_patient_id": "2", **marks})


@pytest.mark.parametrize(
    ("marks", "state", "counted"),
    [
        ({}, "booked", True),
        ({"patient_arrived": True}, "arrived", True),
        ({"did_not_arrive": True}, "missed", True),
        ({"cancelled_at": NOON}, "cancelled", False),
        ({"archived_at": NOON}, "removed", False),
        ({"deleted_at": NOON}, "removed", False),
        ({"did_not_arrive": True, "cancelled_at": NOON}, "cancelled", False),
        ({"cancelled_at": NOON, "archived_at": NOON}, "removed", False),
    ],
)
def test_an_appointment_counts_unless_it_is_cancelled_archived_or_deleted(
    marks: dict[str, Any], state: str, counted: bool
) -> None:
    fact = appointment_fact(appointment(**marks))
    assert (fact.state, fact.counted) == (state, counted)


@pytest.mark.parametrize(
    ("marks", "listed"),
    [({}, True), ({"archived_at": NOON}, False), ({"deleted_at": NOON}, False), ({"merged_at": NOON}, False)],
)
def test_a_patient_is_listed_unless_archived_deleted_or_merged(marks: dict[str, Any], listed: bool) -> None:
    assert patient_fact(patient(**marks)).listed is listed


def test_no_fact_holds_a_name_a_contact_or_a_note() -> None:
    told = [
        patient_fact(
            patient(first_name="CANARY", email="CANARY", phone_numbers=[{"type": "Home", "number": "CANARY"}])
        ),
        appointment_fact(appointment(notes="CANARY")),
    ]
    assert "CANARY" not in repr(told)
