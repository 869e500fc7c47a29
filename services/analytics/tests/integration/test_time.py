"""The same facts at different moments."""

from datetime import UTC, datetime, timedelta

import pytest
from services.analytics.tests.conftest import Analytics
from sqlalchemy import text

from analytics.adapters.store import Store
from analytics.entrypoints.shapes import Summary
from contracts.events import AppointmentsSynced, PatientsSynced
from contracts.records import AppointmentRecord, PatientRecord

START = datetime(2025, 4, 6, 1, 30, tzinfo=UTC)
"""Clocks in Sydney go back an hour in the night before, those in Europe go forward a week earlier."""
TICK = timedelta(microseconds=1)
DAYS_30 = timedelta(days=30)


MOMENTS = [
    (START - timedelta(days=400), "upcoming"),
    (START - TICK, "upcoming"),
    (START, "recent"),
    (START + TICK, "recent"),
    (START + DAYS_30, "recent"),
    (START + DAYS_30 + TICK, "past"),
]


@pytest.mark.parametrize("time_zone", ["UTC", "Australia/Sydney", "Europe/London"])
@pytest.mark.parametrize("clock", [MOMENTS, MOMENTS[::-1]], ids=["forwards", "backwards"])
async def test_an_appointment_is_upcoming_until_it_starts_and_recent_for_thirty_days(
    analytics: Analytics, time_zone: str, clock: list[tuple[datetime, str]]
) -> None:
    version = {"created_at": START, "updated_at": START, "sequence": 1, "cliniko_patient_id": "1"}
    patient = PatientRecord.model_validate(version)
    appointment = AppointmentRecord.model_validate({**version, "cliniko_appointment_id": "2", "starts_at": START})
    await analytics.receive(
        PatientsSynced(organization_id="org_a", sync_id=None, records=(patient,)),
        AppointmentsSynced(organization_id="org_a", sync_id=None, records=(appointment,)),
    )

    for now, phase in clock:
        async with analytics.database.transaction("org_a") as connection:
            await connection.execute(text(f"SET LOCAL TIME ZONE '{time_zone}'"))
            figures = await Store(connection).figures("org_a", now)
        summary = Summary.model_validate(figures).model_dump()
        upcoming, recent = int(phase == "upcoming"), int(phase == "recent")
        assert (summary["total_upcoming_appointments"], summary["patients_with_upcoming"]) == (upcoming, upcoming), now
        assert (summary["total_recent_appointments"], summary["patients_with_recent"]) == (recent, recent), now
        assert (summary["total_all_appointments"], summary["active_patients"]) == (1, upcoming or recent), now
