from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.domain.figures import Figures

SAMPLE = {
    "organization_id": "org_example",
    "generated_at": datetime(2025, 6, 30, 12, tzinfo=UTC),
    "total_patients": 650,
    "active_patients": 37,
    "patients_with_upcoming": 24,
    "patients_with_recent": 32,
    "total_upcoming_appointments": 28,
    "total_recent_appointments": 45,
    "total_all_appointments": 1247,
    "appointments_of_active": 1247,
    "connected": True,
    "credentials_valid": True,
    "last_outcome": "completed",
    "last_sync_time": datetime(2025, 6, 30, 11, tzinfo=UTC),
    "patients_reported": 650,
}
"""The API reference's own example."""


def figures(**different: Any) -> Figures:
    return Figures(**{**SAMPLE, **different})


def test_the_averages_of_the_reference_are_over_active_patients() -> None:
    sample = figures()
    assert sample.avg_upcoming_per_patient == 0.76
    assert sample.avg_recent_per_patient == 1.22
    assert sample.avg_total_per_patient == 33.7


def test_the_past_of_inactive_patients_is_in_the_total_but_not_in_the_average() -> None:
    assert figures(total_all_appointments=5000).avg_total_per_patient == 33.7


def test_engagement_is_the_share_of_active_patients_in_percent() -> None:
    assert figures().engagement_rate == 5.7


def test_an_empty_clinic_has_zeros() -> None:
    empty = figures(total_patients=0, active_patients=0, patients_reported=None)
    shares = (empty.engagement_rate, empty.sync_percentage, empty.avg_total_per_patient, empty.synced_patients)
    assert shares == (0.0, 0.0, 0.0, 0)
    assert empty.activity_status == "Inactive"


@pytest.mark.parametrize(
    ("here", "reported", "percentage"), [(650, 650, 100.0), (649, 650, 99.8), (651, 650, 100.0), (0, 0, 0.0)]
)
def test_the_synced_share_is_of_those_cliniko_reports_and_at_most_all(
    here: int, reported: int, percentage: float
) -> None:
    assert figures(total_patients=here, patients_reported=reported).sync_percentage == percentage


@pytest.mark.parametrize(
    ("connected", "credentials_valid", "last_outcome", "status"),
    [
        (True, True, "completed", "Connected"),
        (True, True, "failed", "Partial"),
        (True, True, None, "Partial"),
        (True, False, "completed", "Partial"),
        (False, False, "completed", "Not Connected"),
        (False, False, None, "Not Connected"),
    ],
)
def test_the_integration_is_connected_only_when_a_working_connection_completed_its_last_run(
    connected: bool, credentials_valid: bool, last_outcome: str | None, status: str
) -> None:
    clinic = figures(connected=connected, credentials_valid=credentials_valid, last_outcome=last_outcome)
    assert clinic.integration_status == status
