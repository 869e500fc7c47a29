"""What a person can ask of their clinic, through the whole system: to be shown what is kept, and to be forgotten."""

import csv
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.faults.practice import Practice

from contracts.events import AppointmentsSynced, PatientsSynced

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PATIENCE_SECONDS = 30.0


def test_a_patient_is_exported_and_then_forgotten_by_every_service(another_practice: Callable[[], Practice]) -> None:
    practice = another_practice()
    practice.run()
    someone = practice.patients()["patients"][0]
    total = practice.summary()["total_patients"]
    path = f"/api/v1/patients/{practice.organization}/patients/{someone['id']}"
    kept = practice.system.get(f"{path}/export", practice.organization)
    assert kept["patient"]["name"] == someone["name"]
    assert len(kept["appointments"]) >= someone["total_appointment_count"] > 0
    assert practice.system.call("DELETE", path, practice.organization, role="member").status_code == 403
    assert practice.system.call("DELETE", path, practice.organization).status_code == 200
    assert someone["id"] not in ids(practice)
    until(lambda: practice.summary()["total_patients"] == total - 1)
    practice.change("update", count=0, values={"first_name": "New"})
    for mode in ("incremental", "comprehensive"):
        practice.run(mode)
        assert someone["id"] not in ids(practice)
        assert practice.summary()["total_patients"] == total - 1
    practice.system.command("replay", practice.organization)
    time.sleep(1)
    assert someone["id"] not in ids(practice)


def test_dead_letters_that_tell_of_a_forgotten_patient_bring_nothing_back(
    another_practice: Callable[[], Practice],
) -> None:
    practice = another_practice()
    practice.run()
    someone = practice.patients()["patients"][0]
    before = practice.summary()
    path = f"/api/v1/patients/{practice.organization}/patients/{someone['id']}"
    assert practice.system.call("DELETE", path, practice.organization).status_code == 200
    until(lambda: practice.summary()["total_patients"] == before["total_patients"] - 1)
    appointments = practice.summary()["total_all_appointments"]
    newest = {"created_at": LONG_AGO, "updated_at": datetime.now(UTC), "sequence": 2**62}
    both = [{**newest, "cliniko_patient_id": one} for one in (someone["cliniko_patient_id"], "1")]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    visits = [{**who, "cliniko_appointment_id": str(number), "starts_at": tomorrow} for number, who in enumerate(both)]
    whose = {"organization_id": practice.organization, "sync_id": None}
    for letter in (
        PatientsSynced.model_validate({**whose, "records": both}),
        AppointmentsSynced.model_validate({**whose, "records": visits}),
    ):
        for consumer in ("patients", "analytics"):
            queue = f"{consumer}.sync.{letter.topic}.v1"
            practice.system.publish(f"{queue}.dead", letter.model_dump_json().encode(), str(letter.event_id))
            redriven = practice.system.command("dead-letters", "redrive", queue, str(letter.event_id))
            assert "applied" in redriven.stdout
    after = practice.summary()
    assert someone["id"] not in ids(practice)
    assert after["total_patients"] == before["total_patients"], "the new one is there, and the forgotten one is not"
    assert after["total_all_appointments"] == appointments + 1


def test_an_appointment_that_is_moved_to_a_forgotten_patient_is_nobodys_until_it_comes_back(
    another_practice: Callable[[], Practice],
) -> None:
    practice = another_practice()
    practice.run()
    forgotten, *others = practice.patients()["patients"]
    single = {row["id"] for row in practice.account().all("individual_appointments")}
    coming = ((other, one["id"]) for other in others for one in other["upcoming_appointments"])
    keeper, moved = next((other, one) for other, one in coming if one in single)
    total = practice.summary()["total_patients"]
    path = f"/api/v1/patients/{practice.organization}/patients/{forgotten['id']}"
    assert practice.system.call("DELETE", path, practice.organization).status_code == 200
    until(lambda: practice.summary()["total_patients"] == total - 1)

    def move(to: dict[str, str], mode: str) -> tuple[bool, int]:
        """Whether the keeper has it then, and how many appointments the dashboard counts."""
        values = {"patient_id": to["cliniko_patient_id"]}
        assert practice.change("update", resource="individual_appointments", id=moved, values=values)
        practice.run(mode)
        shown = {one["id"]: one["upcoming_appointments"] for one in practice.patients()["patients"]}
        kept = any(one["id"] == moved for one in shown.get(keeper["id"], ()))
        return kept, practice.summary()["total_all_appointments"]

    for mode in ("incremental", "comprehensive"):
        gone, without = move(forgotten, mode)
        back, with_it = move(keeper, mode)
        assert (gone, back, with_it) == (False, True, without + 1)


def test_a_list_is_a_file_too_and_is_not_sent_twice(another_practice: Callable[[], Practice]) -> None:
    practice = another_practice()
    practice.run()
    path = f"/api/v1/patients/{practice.organization}/patients"
    first = practice.system.call("GET", path, practice.organization)
    known = {"if-none-match": first.headers["etag"]}
    again = practice.system.call("GET", path, practice.organization, headers=known)
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    table = practice.system.call("GET", f"{path}?active=all", practice.organization, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {row["id"] for row in rows} == ids(practice)


def ids(practice: Practice) -> set[str]:
    return {patient["id"] for patient in practice.patients()["patients"]}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
