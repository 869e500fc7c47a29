"""Readers while syncs apply a large clinic: every answer is true of some state of it, and no list is torn or mixed."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from tests.conftest import System
from tests.faults.conftest import LARGE
from tests.faults.possible import Arriving, Changing, Json, Naming
from tests.faults.practice import Practice
from tests.faults.readers import Answer, Readers
from tests.independent import Clinic, order

pytestmark = pytest.mark.e2e
URGENCY = {"priority", "hours_until_next_appointment", "days_until_next_appointment"}
RENAMED = "Renamed on the way"
LEAVING = 100
"""Patients who are archived or erased, their appointments left as they are."""


@dataclass(frozen=True)
class Seen:
    """All that was read, and what could be true before and after `turned_at`."""

    readers: Readers
    turned_at: float
    arriving: Arriving
    changing: Changing

    def truth(self, answer: Answer) -> Arriving | Changing:
        return self.changing if answer.asked_at > self.turned_at else self.arriving


@pytest.fixture(scope="module")
def seen(beside_cliniko: System) -> Seen:
    practice = Practice(beside_cliniko, LARGE)
    practice.connect()
    before, readers = practice.source(), Readers(practice)
    with readers.reading():
        practice.run(seconds=90)
        turned_at = time.monotonic()
        renamed = change(practice, before)
        after = practice.source()
        practice.run(seconds=90)
    practice.agrees()
    namings = [Naming({RENAMED: renamed}, {}), Naming({renamed: RENAMED}, {})]
    return Seen(readers, turned_at, Arriving(before, first_namings(before)), Changing(before, after, namings))


def change(practice: Practice, clinic: Clinic) -> str:
    """Much of a clinic at once; returns the name of a type that has another one now."""
    patients = [*clinic.patients]
    Random(1).shuffle(patients)
    booked = [one for patient in patients[LEAVING:] for one in clinic.appointments[patient]]
    Random(2).shuffle(booked)
    one_of_each = {one.patient: one.id for one in booked}  # two at the same moment have no order
    moving = [*one_of_each.values()][:400]
    appointments = [one.id for one in booked if one.id not in moving]
    renamed = Counter(one.type for one in booked if one.type).most_common(1)[0][0]
    types = practice.account().all("appointment_types", "archived_at:*")
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)
    moved = {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=1)).isoformat(), "notes": "Moved"}
    other = {"first_name": "Another", "last_name": "Name", "email": "another@example.com"}
    individual = {"resource": "individual_appointments"}
    practice.change("archive", ids=patients[:60])
    practice.change("erase", ids=patients[60:LEAVING], trace=False)
    practice.change("update", ids=patients[LEAVING:400], values=other)
    practice.change("insert", count=30, values={"first_name": "New", "last_name": "Here"})
    practice.change("update", ids=moving, values=moved, **individual)
    practice.change("cancel", ids=appointments[:200], **individual)
    practice.change("erase", ids=appointments[200:300], **individual)
    for kind in types:
        if kind["name"] == renamed:
            practice.change("update", resource="appointment_types", id=kind["id"], values={"name": RENAMED})
    return renamed


def first_namings(clinic: Clinic) -> list[Naming]:
    """Names come all at once, but before or after the appointments they belong to."""
    booked = [one for mine in clinic.appointments.values() for one in mine]
    types = dict.fromkeys(one.type for one in booked if one.type)
    practitioners = dict.fromkeys(one.practitioner for one in booked if one.practitioner)
    return [Naming(t, p) for t in ({}, types) for p in ({}, practitioners)]


def test_syncs_were_watched_at_work(seen: Seen) -> None:
    """Or nothing is tested: lists grew and changed while they were read, and some were said to be unchanged."""
    totals = {walk[0].content["total_count"] for walk in seen.readers.walks}
    assert len(totals) > 4, totals
    assert len({answer.etag for answer in seen.readers.lists}) > 6
    assert seen.readers.confirmed


def test_every_patient_in_every_list_is_true_and_no_list_mixes_names(seen: Seen) -> None:
    walked = (page for walk in seen.readers.walks for page in walk)
    told = 0
    known: dict[tuple[bool, str], set[int]] = {}
    for answer in (*seen.readers.lists, *seen.readers.files, *walked):
        truth, patients = seen.truth(answer), answer.content["patients"]
        namings = set(range(len(truth.namings)))
        for document in patients:
            text = json.dumps([f"{answer.now:%H:%M}", {key: document[key] for key in document.keys() - URGENCY}])
            possible = known.get((truth is seen.changing, text))
            if possible is None:
                possible = known[truth is seen.changing, text] = truth.namings_of(document, answer.now)
            assert possible, (answer.path, document)
            namings &= possible
        assert namings, answer.path
        told += len(patients)
    assert told > 10_000


def test_a_list_told_in_one_answer_has_its_number_its_order_and_nobody_twice(seen: Seen) -> None:
    for answer in (*seen.readers.lists, *seen.readers.files):
        patients = answer.content["patients"]
        assert answer.content["total_count"] == len(patients) == len(ids(patients)), answer.path
        assert [order(one) for one in patients] == sorted(map(order, patients)), answer.path
        if answer.path != "file":
            assert all(one["is_active"] for one in patients)


def test_a_walk_meets_everybody_who_was_there_all_the_time_once(seen: Seen) -> None:
    for walk in seen.readers.walks:
        met = [one["cliniko_patient_id"] for page in walk for one in page.content["patients"]]
        assert len(met) == len(set(met))
        assert set(met) >= seen.truth(walk[0]).always()
        totals = [page.content["total_count"] for page in walk]
        if seen.truth(walk[-1]) is seen.arriving:  # people only come
            assert totals[0] <= len(met) <= totals[-1]
            assert totals == sorted(totals)
    for answer in seen.readers.files:
        assert ids(answer.content["patients"]) >= seen.truth(answer).always()


def test_figures_under_one_validator_are_the_same(seen: Seen) -> None:
    """A list may be newer than its validator, which then is good for nothing more: `Readers` looks at that."""
    said: dict[str, object] = {}
    for answer in (one for one in seen.readers.figures if one.path.startswith("dashboard")):
        content = {**answer.content, "timestamp": None}
        if "summary" in content:
            content["summary"] = {**content["summary"], "generated_at": None}
        assert said.setdefault(answer.etag, content) == content, answer.path


def test_figures_of_one_answer_agree_with_each_other(seen: Seen) -> None:
    checks = {"summary": summary, "points": points, "by_practitioner": shares, "counts": risks}
    done = Counter[str]()
    for answer in seen.readers.figures:
        for key, check in checks.items():
            if key in answer.content:
                check(answer.content)
                done[key] += 1
        if "appointment_types" in answer.content:
            groups(answer.content)
    assert set(done) == set(checks)


def summary(told: Json) -> None:
    told = told["summary"]
    active, upcoming, recent = (
        told[key] for key in ("active_patients", "patients_with_upcoming", "patients_with_recent")
    )
    assert max(upcoming, recent) <= active <= min(upcoming + recent, told["total_patients"])
    assert told["total_upcoming_appointments"] >= upcoming
    assert told["total_recent_appointments"] >= recent
    assert told["total_all_appointments"] >= told["total_upcoming_appointments"] + told["total_recent_appointments"]
    for kind in ("upcoming", "recent"):
        average = round(told[f"total_{kind}_appointments"] / active, 2) if active else 0
        assert told[f"avg_{kind}_per_patient"] == average
    share = round(100 * active / told["total_patients"], 1) if told["total_patients"] else 0
    assert told["engagement_rate"] == pytest.approx(share, abs=0.051)
    assert told["synced_patients"] == told["total_patients"]


def points(told: Json) -> None:
    add_up(told, told["points"], ("bookings", "appointments", "cancellations", "no_shows", "new_patients"))


def shares(told: Json) -> None:
    for dimension in ("by_practitioner", "by_appointment_type"):
        add_up(told, told[dimension], ("bookings", "appointments", "cancellations", "no_shows"))


def add_up(told: Json, parts: Iterable[Json], metrics: Iterable[str]) -> None:
    for metric in metrics:
        for period in ("current", "previous"):
            assert sum(part[metric][period] for part in parts) == told["totals"][metric][period], (metric, period)


def risks(told: Json) -> None:
    assert sum(told["counts"].values()) == told["total_count"]
    if told["next_cursor"] is None:
        found = Counter(one["risk"] for one in told["patients"])
        assert {risk: found[risk] for risk in told["counts"]} == told["counts"]


def groups(told: Json) -> None:
    found = told["appointment_types"]
    pairs = [(one["next_appointment_type"], one["primary_appointment_type"]) for one in found]
    assert told["total_types"] == len(found) == len(set(pairs))
    counts = [one["patient_count"] for one in found]
    assert counts == sorted(counts, reverse=True)
    assert all(one["patient_count"] >= one["patients_with_upcoming"] for one in found)


def ids(patients: Iterable[Json]) -> set[str]:
    return {one["cliniko_patient_id"] for one in patients}
