"""Whatever Cliniko does during a run, the run ends as it must, and afterwards Routiq says what Cliniko holds."""

import time
from itertools import count
from typing import Any

import pytest
from tests.conftest import System
from tests.faults.practice import Practice

pytestmark = pytest.mark.e2e
APPOINTMENTS = "individual_appointments"
SPOILT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("truncate", {"keep": 0.5}),
    ("garble", {}),
    ("garble", {"content": "<html>"}),
    ("gzip", {"broken": True}),
    ("reset", {}),
    ("content_type", {}),
)


@pytest.fixture(scope="module")
def hanging(beside_cliniko: System, unused: "count[int]") -> tuple[Practice, str]:
    """A clinic with a run of which one page hangs, until the client gives it up after 45 s."""
    practice = Practice(beside_cliniko, f"clinic{next(unused)}")
    practice.connect()
    practice.fault("hang", path=APPOINTMENTS, page=2)
    sync_id = practice.start()
    while practice.struck() != [1]:
        time.sleep(0.1)
    return practice, sync_id


def test_a_page_that_hangs_holds_up_no_other_clinic(hanging: tuple[Practice, str], practice: Practice) -> None:
    stuck, sync_id = hanging
    practice.run(seconds=20)
    assert stuck.ask("GET", f"cliniko/test-connection/{stuck.organization}")[1]["success"]
    assert stuck.progress(sync_id)["status"] == "running"
    practice.agrees()


def test_what_changes_between_two_pages_is_right_after_the_next_runs(practice: Practice) -> None:
    newest = {"sort": "created_at:desc"}
    practice.before(
        "patients",
        2,
        {"change": "insert", "values": {"first_name": "Ada"}},
        {"change": "update", "values": {"email": None}, "count": 30},
        {"change": "archive", "count": 3, **newest},
        {"change": "merge", "id": (ids := sorted(practice.source().patients))[5], "into": ids[40]},
    )
    practice.before(
        "patients",
        3,
        {"change": "erase", "ids": ids[60:62], "trace": False},
        {"change": "insert", "values": {"first_name": "Bo"}, "count": 5},
    )
    practice.before(
        APPOINTMENTS,
        3,
        {"change": "cancel", "resource": APPOINTMENTS, "count": 20},
        {"change": "erase", "resource": APPOINTMENTS, "count": 4, "q": ["patient_id:>0"]},
        {"change": "delete", "resource": APPOINTMENTS, "count": 3, **newest},
        {"change": "archive", "resource": APPOINTMENTS, "count": 3, **newest},
    )
    practice.run()
    assert practice.struck() == [1, 1, 1]
    practice.run("incremental")
    extra = {one["cliniko_patient_id"] for one in practice.patients()["patients"]} - practice.source().patients.keys()
    assert extra <= {*ids[60:62]}  # whether they were erased before they were read is chance
    practice.run()
    practice.agrees()


def test_a_storm_of_429_is_waited_out_whatever_its_header_says(practice: Practice) -> None:
    practice.fault("limit", reset="missing", retry_after=1)
    practice.fault("limit", reset="garbled", retry_after=1, path="patients")
    practice.fault("limit", reset="past", path="patients", times=3)
    practice.fault("limit", reset=1, path=APPOINTMENTS, times=9)
    seen = practice.run(seconds=120)
    assert practice.struck() == [1, 1, 3, 9]
    assert seen["records_failed"] == 0
    practice.agrees()


def test_bursts_of_errors_and_spoilt_answers_are_asked_for_again(practice: Practice) -> None:
    for status, body, page in ((500, "html", 1), (502, "html", 2), (503, "empty", 3), (504, "html", 4)):
        practice.fault("status", status=status, body=body, path="patients", page=page, times=2)
    for number, (effect, members) in enumerate(SPOILT, start=1):
        practice.fault(effect, path=APPOINTMENTS, page=number, **members)
    practice.run()
    assert practice.struck() == [2] * 4 + [1] * 6
    practice.agrees()


@pytest.mark.parametrize("lie", [{"add": -5000}, {"add": 500}, {"value": 0}], ids=str)
def test_a_total_that_lies_neither_hides_nor_removes_nor_counts(practice: Practice, lie: dict[str, int]) -> None:
    practice.run()
    practice.change("erase", count=3, trace=False)
    practice.fault("total_entries", times=0, **lie)
    practice.run()
    practice.heal()
    shown = {one["cliniko_patient_id"] for one in practice.patients()["patients"]}
    assert shown >= practice.source().patients.keys()
    assert len(shown) == practice.summary()["synced_patients"]
    assert practice.summary()["sync_percentage"] == 100.0
    practice.run()
    practice.agrees()


@pytest.mark.parametrize(
    "answers",
    [
        [("next_link", {"to": "foreign", "path": "patients", "page": 1}), ("next_link", {"to": "self", "page": 2})],
        [("next_link", {"to": "missing", "times": 0}), ("total_entries", {"value": 1, "times": 0})],
    ],
    ids=["led astray", "ended early"],
)
def test_a_next_link_that_is_wrong_loses_no_page(practice: Practice, answers: list[tuple[str, Any]]) -> None:
    for effect, members in answers:
        practice.fault(effect, **members)
    practice.run()
    assert all(practice.struck())
    practice.heal()
    practice.agrees()


def test_a_next_link_that_always_leads_astray_ends_the_run_and_spoils_nothing(practice: Practice) -> None:
    practice.run()
    for to in ("foreign", "self"):
        practice.fault("next_link", to=to, times=0)
        seen = practice.ended(practice.start())
        assert (seen["status"], seen["failure"]) == ("failed", "Cliniko answered in a way we do not understand.")
        practice.heal()
    practice.agrees()


def test_a_key_revoked_in_the_middle_ends_the_run_says_so_and_a_new_one_goes_on(practice: Practice) -> None:
    organization, system = practice.organization, practice.system
    practice.change("add_key", key="MS0-spare-for-this-clinic-au4")
    practice.before(APPOINTMENTS, 3, {"change": "revoke_key"})
    seen = practice.ended(practice.start())
    assert seen["status"] == "failed"
    assert "refused the API key" in seen["failure"]
    status = system.get(f"/api/v1/cliniko/status/{organization}", organization)
    assert (status["cliniko_connected"], status["credentials_valid"]) == (True, False)
    assert (status["sync_enabled"], status["paused_reason"]) == (False, "credentials_refused")
    assert practice.summary()["integration_status"] != "Connected"
    tested = system.get(f"/api/v1/cliniko/test-connection/{organization}", organization)
    assert (tested["success"], practice.key in str(tested)) == (False, False)
    system.connect(organization, "MS0-spare-for-this-clinic-au4")
    practice.run()
    assert system.get(f"/api/v1/cliniko/status/{organization}", organization)["credentials_valid"]
    practice.agrees(key="MS0-spare-for-this-clinic-au4")


def test_what_is_erased_is_removed_by_the_next_comprehensive_run(practice: Practice) -> None:
    practice.run()
    practice.change("erase", count=5, trace=False)
    practice.change("erase", resource=APPOINTMENTS, count=9)
    practice.change("erase", resource="attendees", count=2)
    practice.run("incremental")
    assert len(practice.patients()["patients"]) > len(practice.source().patients)
    assert practice.run()["note"] is None
    practice.agrees()


def test_a_loss_too_large_to_be_believed_waits_for_an_administrator(practice: Practice) -> None:
    practice.run()
    practice.change("erase", count=len(practice.source().patients) // 3, trace=False)
    before = practice.patients()["total_count"]
    assert "no longer found in Cliniko" in practice.run()["note"]
    assert practice.patients()["total_count"] == before
    path = f"/api/v1/cliniko/sync/{practice.organization}?confirm_removals=true"
    assert practice.system.call("POST", path, practice.organization, role="member").status_code == 403
    confirmed = practice.system.call("POST", path, practice.organization).raise_for_status().json()
    assert practice.ended(confirmed["sync_id"])["note"] is None
    practice.agrees()


def test_changes_that_do_not_count_as_updates_are_followed(practice: Practice) -> None:
    practice.run()
    with practice.switched(quiet_changes=["archive", "cancel", "delete"]):
        practice.change("archive", count=5)
        for kind in ("archive", "cancel", "delete"):
            practice.change(kind, resource=APPOINTMENTS, count=5, sort="starts_at:desc")
        practice.run("incremental")
    practice.agrees()


@pytest.mark.parametrize("seconds", [-600, 600])
def test_a_clock_that_is_wrong_loses_no_change(practice: Practice, seconds: int) -> None:
    with practice.switched(clock_skew_seconds=seconds):
        practice.run()
        practice.change("update", values={"email": "moved@example.com"}, count=7)
        practice.change("insert", values={"first_name": "Ada"}, count=3)
        practice.run("incremental")
        practice.agrees()
    practice.change("update", values={"last_name": "After"}, count=4, sort="created_at:asc", q=["email:!?"])
    practice.run("incremental")
    practice.agrees()


@pytest.mark.parametrize("sorts_by_id", [True, False])
def test_more_changes_in_one_second_than_pages_hold_are_all_followed(practice: Practice, sorts_by_id: bool) -> None:
    practice.run()
    with practice.switched(sort_by_id=sorts_by_id, legacy_routes=False, gzip=True, require_contact=True):
        practice.change("update", values={"last_name": "Moved"}, count=130)
        practice.run("incremental")
        practice.agrees()
        practice.change("insert", values={"first_name": "Ada"}, count=1150)
        practice.change("update", values={"last_name": "At once"}, count=0)
        practice.run("incremental")
        practice.agrees()
        practice.run()
    practice.agrees()


def test_answers_from_a_cache_are_corrected_by_the_next_run(practice: Practice) -> None:
    practice.run()
    practice.fault("stale", seconds=30, times=0)
    practice.run("incremental")
    practice.change("update", values={"last_name": "Unseen"}, count=120)
    practice.run("incremental")
    practice.run()
    practice.heal()
    practice.run("incremental")
    practice.agrees()


def test_odd_values_are_kept_as_they_are_or_set_aside_for_a_while(practice: Practice) -> None:
    phones = [{"phone_type": "Work", "number": "none"}, {"phone_type": "Mobile", "number": " +61 (0)4 "}]
    practice.change("update", values={"first_name": "A\u0000da", "last_name": None}, count=2)
    practice.change("update", values={"patient_phone_numbers": phones, "email": " "}, count=2, sort="created_at:desc")
    practice.change("update", resource=APPOINTMENTS, values={"notes": "long " * 4000}, count=2)
    practice.fault("datetimes", style="offset", times=0)
    practice.fault("records", values={"horoscope": "leo"}, omit=["invoices"], repeat=3, times=0)
    practice.run()
    practice.heal()
    practice.agrees()
    practice.fault("datetimes", style="fraction", times=0)
    practice.fault("records", values={"starts_at": "soon"}, path=APPOINTMENTS, page=2)
    assert practice.run()["records_failed"] == 100
    path = f"/api/v1/sync/rejected/{practice.organization}"
    aside = practice.system.get(f"{path}?limit=60", practice.organization)
    rest = practice.system.get(f"{path}?cursor={aside['next_cursor']}", practice.organization)
    assert (aside["total_count"], len(aside["rejected"]), len(rest["rejected"])) == (100, 60, 40)
    assert {tuple(one) for one in aside["rejected"]} == {("kind", "cliniko_id", "reason", "sync_id")}
    assert practice.system.call("GET", path, practice.organization, role="member").status_code == 403
    practice.heal()
    assert practice.run()["records_failed"] == 0
    assert practice.system.get(path, practice.organization)["total_count"] == 0
    practice.agrees()


def test_lists_the_key_may_not_read_end_no_run_and_remove_nothing(practice: Practice) -> None:
    practice.run()
    for path in ("attendees*", "group_appointments*", "appointment_types*"):
        practice.fault("status", status=403, path=path, times=0)
        practice.run()
        practice.run("incremental")
        practice.heal()
    practice.agrees()


def test_a_page_that_hung_is_asked_for_again(hanging: tuple[Practice, str]) -> None:
    stuck, sync_id = hanging
    assert stuck.ended(sync_id, seconds=90)["status"] == "completed"
    stuck.agrees()
