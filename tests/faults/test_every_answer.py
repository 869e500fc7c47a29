"""Every answer of the read side, key by key, against Cliniko's own answers: clinics made and changed by chance."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from random import Random
from urllib.parse import quote

import pytest
from services.analytics.tests.slow import slow_documents, slow_patients
from services.patients.tests import slow_answers
from tests.faults.practice import Json, Practice, same
from tests.independent import Clinic, order
from tests.source_history import read

from analytics.domain.periods import DAYS

pytestmark = pytest.mark.e2e
OWN = {"organization_id", "timestamp", "next_cursor", "last_sync_time", "last_sync_date", "success"}


def changed(practice: Practice, random: Random) -> None:
    """As much as the brake on removals lets pass."""
    individual = {"resource": "individual_appointments"}
    clinic = practice.source()
    patients = random.sample(sorted(clinic.patients), 60)
    appointments = random.sample(sorted(one.id for mine in clinic.appointments.values() for one in mine), 120)
    practice.change("update", ids=patients[:20], values={"first_name": random.choice(["=1+1", "Zoë", " "])})
    practice.change("archive", ids=patients[20:30])
    practice.change("erase", ids=patients[30:40], trace=False)
    practice.change("merge", ids=patients[40:45], into=patients[45])
    practice.change("cancel", ids=appointments[:30], **individual)
    practice.change("update", ids=appointments[30:60], values={"did_not_arrive": True}, **individual)
    practice.change("update", ids=appointments[60:80], values={"patient_arrived": True, "notes": None}, **individual)
    practice.change("delete", ids=appointments[80:100], **individual)
    practice.change("erase", ids=appointments[100:], **individual)


@pytest.mark.parametrize("seed", range(2))
def test_every_answer_is_what_cliniko_says(another_practice: Callable[[], Practice], seed: int) -> None:
    practice = another_practice()
    practice.run()
    changed(practice, Random(seed))
    practice.run()
    practice.agrees()
    lists_agree(practice, practice.source())
    figures_agree(practice)


def lists_agree(practice: Practice, clinic: Clinic) -> None:
    for active in ("true", "false", "all"):
        listed = patients(practice, f"patients?active={active}")
        now = datetime.fromisoformat(listed["timestamp"])
        wanted = [one for one in clinic.patient_list(now, active_only=False) if fits(one, active)]
        assert listed["total_count"] == len(wanted)
        agree(listed["patients"], wanted)
        file = practice.system.call(
            "GET",
            f"/api/v1/patients/{practice.organization}/patients?active={active}",
            practice.organization,
            headers={"accept": "text/csv"},
        )
        assert list(csv.DictReader(io.StringIO(file.content.decode(), newline=""))) == slow_answers.file(
            listed["patients"]
        )
    everybody, starts = listed["patients"], starting(clinic, now)
    urgent = patients(practice, "patients/with-appointments?active=all")
    moment = datetime.fromisoformat(urgent["timestamp"])
    same(urgent["patients"], slow_answers.with_urgency(everybody, moment, starts))
    for kind in {one.type for mine in clinic.appointments.values() for one in mine if one.type}:
        found = patients(practice, f"patients/by-appointment-type/{quote(kind, safe='')}?active=all")
        assert found.pop("appointment_type") == kind
        same(found["patients"], slow_answers.of_type(everybody, kind))
    for term in ("an", "@example.com", "041", "zoë", "%"):
        found = patients(practice, f"patients?active=all&search={quote(term, safe='')}")
        same(found["patients"], slow_answers.searched(everybody, term))
    active_patients = [one for one in everybody if one["is_active"]]
    groups = slow_answers.types_summary(active_patients)
    told = patients(practice, "patients/appointment-types/summary")
    assert shown(told) == {"appointment_types": groups, "total_types": len(groups)}
    summary = slow_answers.active_figures(active_patients)
    assert shown(patients(practice, "active/summary")) == summary


def figures_agree(practice: Practice) -> None:
    history = read(practice.account(), practice.organization)
    for timeframe in DAYS:
        told: Json = {}
        for path in ("analytics", "charts"):
            told |= practice.ask("GET", f"dashboard/{practice.organization}/{path}?timeframe={timeframe}")[1]
        today = datetime.fromisoformat(told["timestamp"]).date()
        assert shown(told) == slow_documents(history, timeframe, today)
    told = practice.ask("GET", f"dashboard/{practice.organization}/retention?limit=1000")[1]
    wanted = slow_patients(history, datetime.fromisoformat(told["timestamp"]))
    same(told["patients"], wanted)
    assert told["total_count"] == sum(told["counts"].values()) == len(wanted)


def patients(practice: Practice, path: str) -> Json:
    """An answer of the patients service, which has room for all."""
    page = f"{path}{'&' if '?' in path else '?'}limit=1000"
    status, answer = practice.ask("GET", f"patients/{practice.organization}/{page}")
    assert (status, answer.get("next_cursor")) == (200, None), answer
    return dict(answer)


def shown(answer: Json) -> Json:
    """Without what only Routiq can know."""
    return {key: value for key, value in answer.items() if key not in OWN}


def fits(patient: Json, active: str) -> bool:
    return active == "all" or patient["is_active"] == (active == "true")


def agree(listed: list[Json], wanted: list[Json]) -> None:
    """By id where the contract's order does not tell two apart."""
    same(map(order, listed), map(order, wanted))
    by_id = {one["cliniko_patient_id"]: one for one in listed}
    same([{key: by_id[one["cliniko_patient_id"]][key] for key in one} for one in wanted], wanted)


def starting(clinic: Clinic, now: datetime) -> dict[str, datetime]:
    """When the next appointment of each patient who has one begins."""
    coming = {patient: [one.starts_at for one in clinic.upcoming(patient, now)] for patient in clinic.patients}
    return {patient: min(moments) for patient, moments in coming.items() if moments}
