"""Reads beside each other and beside the pages of a sync."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

from services.analytics.tests.conftest import Analytics
from services.analytics.tests.histories import NOW

from contracts.events import AppointmentsSynced, PatientsSynced
from contracts.records import AppointmentRecord, PatientRecord

PATIENTS, PAGE = 60, 20
VERSION = {"created_at": NOW, "updated_at": NOW}


def patient(number: int) -> PatientRecord:
    return PatientRecord.model_validate({**VERSION, "sequence": 1, "cliniko_patient_id": str(number)})


def pages(order: random.Random, now: datetime) -> list[PatientsSynced | AppointmentsSynced]:
    """Appointments that move from one patient to another, each page twice under another id."""
    states = [
        AppointmentRecord.model_validate(
            {
                **VERSION,
                "sequence": sequence,
                "cliniko_appointment_id": str(number),
                "cliniko_patient_id": str(order.randrange(PATIENTS)),
                "starts_at": now + timedelta(days=1 if sequence == 3 else -1),
            }
        )
        for sequence in (1, 2, 3)
        for number in range(2 * PATIENTS)
    ]
    people = tuple(patient(number) for number in range(PATIENTS))
    cuts = [tuple(states[start : start + PAGE]) for start in range(0, len(states), PAGE)] * 2
    return [
        PatientsSynced(organization_id="org_a", sync_id=None, records=people),
        *(AppointmentsSynced(organization_id="org_a", sync_id=None, records=cut) for cut in cuts),
    ]


async def test_reads_beside_pages_never_lose_or_count_anything_twice(analytics: Analytics) -> None:
    order, now = random.Random(1), datetime.now(UTC)
    waiting = pages(order, now)
    order.shuffle(waiting)

    async def deliver() -> None:
        while waiting:
            await analytics.receive(waiting.pop())

    async def read() -> None:
        while waiting:
            told = (await analytics.get("/api/v1/dashboard/org_a/summary", "org_a")).json()
            recent, upcoming = told["total_recent_appointments"], told["total_upcoming_appointments"]
            assert recent + upcoming == told["total_all_appointments"]
            assert max(told["patients_with_recent"], told["patients_with_upcoming"]) <= told["active_patients"]
            charts = await analytics.get("/api/v1/dashboard/org_a/charts?timeframe=7d", "org_a")
            assert charts.status_code == 200

    await asyncio.gather(deliver(), deliver(), deliver(), read(), read())

    told = (await analytics.get("/api/v1/dashboard/org_a/summary", "org_a")).json()
    final = [state for page in pages(random.Random(1), now)[1:] for state in page.records if state.sequence == 3]
    assert told["total_patients"] == PATIENTS
    assert told["total_upcoming_appointments"] == told["total_all_appointments"] == 2 * PATIENTS
    assert told["active_patients"] == len({state.cliniko_patient_id for state in final})
    charts = (await analytics.get("/api/v1/dashboard/org_a/charts?timeframe=7d", "org_a")).json()
    assert charts["totals"]["appointments"]["current"] == 0
