"""Every key of every answer against a slow computation of its own, over random histories; the list has one already."""

import csv
import io
from datetime import datetime, timedelta
from random import Random
from urllib.parse import quote

import pytest
from services.patients.tests import slow_answers
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic, Json
from services.patients.tests.random_history import NAMES, NUMBERS, TYPES, random_history
from services.patients.tests.slow import History

from contracts.timestamps import iso

LATER = [timedelta(0), timedelta(microseconds=1), 24 * HOUR, 30 * DAY]
TERMS = [text.strip() for text in (*NAMES, *NUMBERS, "a@example", "@", " ", "zzz", "o", "%", "_", "(", "412")]
EVERYBODY = {"active": "all", "limit": 1000}


@pytest.fixture(params=range(4))
async def lived(request: pytest.FixtureRequest, clinic: Clinic) -> tuple[Clinic, History]:
    """A clinic with a past, and all that happened in it."""
    events = random_history(Random(request.param), clinic)
    await clinic.hears(*events)
    return clinic, History(events)


def whole(clinic: Clinic, patients: list[Json], **more: str) -> Json:
    """The answer that lists these, on one page."""
    told = {"organization_id": clinic.organization_id, "timestamp": iso(clinic.now), "next_cursor": None}
    return {**told, "patients": patients, "total_count": len(patients), **more}


def starts(history: History, now: datetime) -> dict[str, datetime]:
    """The next appointment of each patient who has one."""
    records = (one for one, _ in history.appointments.values())
    counted = [one for one in records if not (one.cancelled_at or one.archived_at or one.deleted_at)]
    coming = sorted((one for one in counted if one.starts_at > now), key=lambda one: one.starts_at, reverse=True)
    return {one.cliniko_patient_id: one.starts_at for one in coming}


async def test_the_list_with_appointments(lived: tuple[Clinic, History]) -> None:
    clinic, history = lived
    for later in LATER:
        clinic.now = NOON + later
        expected = slow_answers.with_urgency(
            history.patient_list(clinic.now, "all"), clinic.now, starts(history, clinic.now)
        )
        assert await clinic.get("patients/with-appointments", **EVERYBODY) == whole(clinic, expected)


async def test_the_list_of_a_type_of_appointment(lived: tuple[Clinic, History]) -> None:
    clinic, history = lived
    for kind in {*TYPES} - {""}:
        for active in ("true", "all"):
            expected = slow_answers.of_type(history.patient_list(clinic.now, active), kind)
            path = f"patients/by-appointment-type/{quote(kind, safe='')}"
            answer = await clinic.get(path, active=active, limit=1000)
            assert answer == whole(clinic, expected, appointment_type=kind)


async def test_a_search(lived: tuple[Clinic, History]) -> None:
    clinic, history = lived
    everybody = history.patient_list(clinic.now, "all")
    for term in TERMS:
        expected = whole(clinic, slow_answers.searched(everybody, term))
        assert await clinic.get("patients", search=term, **EVERYBODY) == expected, term


async def test_the_summaries(lived: tuple[Clinic, History]) -> None:
    clinic, history = lived
    for later in LATER:
        clinic.now = NOON + later
        active = history.patient_list(clinic.now)
        told = {"organization_id": clinic.organization_id, "timestamp": iso(clinic.now)}
        assert await clinic.get("active/summary") == {**told, **slow_answers.active_summary(history, active)}
        groups = slow_answers.types_summary(active)
        expected = {**told, "appointment_types": groups, "total_types": len(groups)}
        assert await clinic.get("patients/appointment-types/summary") == expected


async def test_the_files(lived: tuple[Clinic, History]) -> None:
    clinic, history = lived
    everybody = history.patient_list(clinic.now, "all")
    urgent = slow_answers.with_urgency(everybody, clinic.now, starts(history, clinic.now))
    for path, patients in (("patients", everybody), ("patients/with-appointments", urgent)):
        answer = await clinic.read(path, {"accept": "text/csv"}, active="all")
        found = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
        assert found == slow_answers.file(patients)


async def test_what_is_kept_of_each_patient(lived: tuple[Clinic, History]) -> None:
    clinic, history = lived
    told = {"organization_id": clinic.organization_id, "timestamp": iso(clinic.now)}
    for cliniko_patient_id in history.patients:
        expected = slow_answers.dossier(history, cliniko_patient_id)
        path = f"/api/v1/patients/{clinic.organization_id}/patients/{expected['patient']['id']}/export"
        answer = await clinic.manage("GET", path)
        assert answer.json() == {**told, **expected}
