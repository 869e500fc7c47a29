"""A stranger at the gateway: every new endpoint, at the worst moments."""

import base64
import json
import os
import signal
from collections.abc import Callable
from datetime import datetime

import pytest
from tests.faults.practice import Event, Json, Practice

pytestmark = pytest.mark.e2e
LATE = {"delay_ms": 2500, "times": 0}


def cancelled(practice: Practice, sync_id: str) -> Json:
    answer = practice.system.call("POST", f"/api/v1/sync/cancel/{sync_id}", practice.organization)
    return dict(answer.raise_for_status().json())


def until_step(practice: Practice, sync_id: str, step: str) -> Json:
    """The progress when the run has come to that step."""
    for event in practice.events(sync_id):
        if event.content["current_step"] == step:
            return event.content
    raise AssertionError(f"{sync_id} never came to {step}: {event}")


@pytest.mark.parametrize(
    ("step", "path", "page"),
    [
        ("Connecting to Cliniko", "user", 1),
        ("Processing reference data", "practitioners", 1),
        ("Processing patients", "patients", 2),
        ("Processing appointments", "individual_appointments", 3),
    ],
)
def test_a_run_is_cancelled_in_any_step_and_the_next_one_makes_it_whole(
    practice: Practice, step: str, path: str, page: int
) -> None:
    practice.fault("delay", path=path, page=page, **LATE)
    sync_id = practice.start()
    until_step(practice, sync_id, step)
    first = cancelled(practice, sync_id)
    assert (first["status"], cancelled(practice, sync_id)["status"]) == ("cancelled", "cancelled")
    at_once = practice.progress(sync_id)
    practice.heal()
    practice.run()
    assert practice.progress(sync_id) == at_once
    practice.agrees()
    refused = practice.system.call("POST", f"/api/v1/sync/cancel/{practice.run()['sync_id']}", practice.organization)
    assert refused.status_code == 409


def test_a_run_is_cancelled_while_it_is_delivered(practice: Practice) -> None:
    reader = practice.system.process("patients")["pid"]["number"]
    os.kill(reader, signal.SIGSTOP)
    try:
        sync_id = practice.start()
        until_step(practice, sync_id, "Delivering to patients and analytics")
        assert cancelled(practice, sync_id)["status"] == "cancelled"
    finally:
        os.kill(reader, signal.SIGCONT)
    practice.system.until_ready()
    practice.run("incremental")
    practice.agrees()


def test_who_comes_back_to_a_stream_is_told_what_is_new_and_nothing_twice(practice: Practice) -> None:
    practice.fault("delay", path="individual_appointments", delay_ms=1500, times=0)
    sync_id = practice.start()
    seen: list[Event] = []
    known: str | None = None
    while not seen or seen[-1].kind != "end":  # a connection for each event
        stream = practice.events(sync_id, known)
        seen.append(next(stream))
        stream.close()
        known = seen[-1].id
    assert len(seen) > 3
    assert len({event.id for event in seen}) == len(seen)
    assert {event.kind for event in seen[:-1]} == {"progress"}
    assert seen[-1].content == practice.progress(sync_id)
    percents = [event.content["progress_percentage"] for event in seen]
    assert percents == sorted(percents)
    assert practice.ask("GET", f"sync/progress/{sync_id}/stream", headers={"last-event-id": str(known)}) == (204, None)
    assert [event.kind for event in practice.events(sync_id, "nonsense")] == ["end"]


def test_the_schedule_is_paused_and_resumed_by_administrators_and_runs_by_hand_go_on(practice: Practice) -> None:
    own = practice.organization
    assert practice.ask("POST", f"sync/schedule/{own}/pause", role="member")[0] == 403
    assert practice.ask("POST", f"sync/schedule/{own}/pause")[1]["schedule_enabled"] is False
    status = practice.ask("GET", "sync/scheduler/status")[1]
    assert (status["scheduler_active"], status["schedule_enabled"]) == (False, False)
    assert (status["paused_reason"], status["next_sync_at"]) == ("paused_by_administrator", None)
    assert (status["sync_running"], status["last_sync_time"]) == (False, None)
    practice.fault("delay", path="patients", **LATE)
    sync_id = practice.ask("POST", "sync/scheduler/trigger")[1]["sync_id"]
    running = practice.ask("GET", "sync/scheduler/status")[1]
    assert (running["sync_running"], running["sync_id"]) == (True, sync_id)
    again = practice.ask("POST", "sync/trigger?force_full=true")[1]
    assert (again["sync_started"], again["sync_id"]) == (False, sync_id)
    practice.heal()
    ended = practice.ended(sync_id)
    assert ended["sync_mode"] == "comprehensive"  # the first one has to be
    assert practice.ask("POST", f"sync/schedule/{own}/resume")[1]["paused_reason"] is None
    status = practice.ask("GET", "sync/scheduler/status")[1]
    assert (status["sync_running"], status["last_sync_time"]) == (False, ended["completed_at"])
    assert status["schedule_enabled"]
    assert status["scheduler_active"] is False  # this installation's clock stands still
    assert practice.ask("POST", "sync/trigger?mode=everything")[0] == 400


def test_the_history_adds_up(practice: Practice) -> None:
    own, path = practice.organization, f"sync/history/{practice.organization}"
    empty = practice.ask("GET", path)[1]
    assert (empty["total_syncs"], empty["average_sync_duration_seconds"], empty["recent_syncs"]) == (0, None, [])
    whole = practice.run()
    practice.fault("status", status=401, path="user")
    failed = practice.ended(practice.start())
    practice.connect()
    practice.fault("delay", path="user", **LATE)
    stopped = practice.start()
    cancelled(practice, stopped)
    practice.heal()
    small = practice.ended(practice.ask("POST", f"cliniko/import-patients/{own}")[1]["sync_id"])
    history = practice.ask("GET", path)[1]
    counts = [history[f"{name}_syncs"] for name in ("total", "successful", "failed", "cancelled")]
    assert counts == [4, 2, 1, 1]
    recent = history["recent_syncs"]
    assert [one["sync_id"] for one in recent] == [small["sync_id"], stopped, failed["sync_id"], whole["sync_id"]]
    assert [one["status"] for one in recent] == ["completed", "cancelled", "failed", "completed"]
    assert (history["last_sync_at"], history["last_successful_sync_at"]) == (small["completed_at"],) * 2
    source = practice.source()
    for one, mode in ((recent[0], "patients-only"), (recent[3], "comprehensive")):
        kinds = one["metadata"]
        assert one["records_processed"] == one["records_success"] + one["records_failed"] == whole_count(kinds)
        assert (kinds["sync_type"], kinds["patients_processed"] >= len(source.patients)) == (mode, True)
    assert recent[0]["metadata"]["appointments_processed"] == 0
    lasted = [seconds(one) for one in (recent[0], recent[3])]
    assert history["average_sync_duration_seconds"] == pytest.approx(sum(lasted) / 2, abs=0.06)
    assert [one["sync_id"] for one in practice.ask("GET", f"{path}?limit=1")[1]["recent_syncs"]] == [small["sync_id"]]
    assert [practice.ask("GET", f"{path}?limit={limit}")[0] for limit in (0, 101)] == [400, 400]
    activity = practice.ask("GET", f"dashboard/{own}/activity?limit=4")[1]
    assert [one["id"] for one in activity] == [one["sync_id"] for one in recent]
    assert [one["status"] for one in activity] == [one["status"] for one in recent]


def whole_count(kinds: Json) -> int:
    return int(kinds["patients_processed"] + kinds["appointments_processed"])


def seconds(run: Json) -> float:
    from_, to = (datetime.fromisoformat(run[name]) for name in ("started_at", "completed_at"))
    return (to - from_).total_seconds()


def test_what_is_looked_into_shows_no_patient_and_no_key(practice: Practice) -> None:
    practice.fault("status", status=401, path="user")
    practice.ended(practice.start())
    practice.connect()
    practice.run()
    own = practice.organization
    assert practice.ask("GET", f"cliniko/debug/{own}", role="member")[0] == 403
    told = " ".join(
        json.dumps(practice.ask("GET", f"{path}/{own}")[1])
        for path in ("cliniko/debug", "cliniko/status", "cliniko/test-connection", "sync/rejected", "sync/history")
    )
    inside = practice.ask("GET", f"cliniko/debug/{own}")[1]
    assert inside["connection"]["credentials_valid"]
    assert (inside["syncs"]["failed"], len(inside["last_errors"])) == (1, 1)
    assert 0 < inside["field_presence"]["patients"]["email"] < 1
    source = practice.source()
    people = [one for row in source.patients.values() for one in (row["first_name"], row["last_name"], row["email"])]
    secrets = {one.strip() for one in people if one and len(one.strip()) > 6} | {*source.patients}
    secrets |= {practice.key, base64.b64encode(f"{practice.key}:".encode()).decode(), "MS0-"}
    assert [one for one in secrets if one in told] == []


def test_a_key_that_is_refused_is_told_in_the_answer_and_changes_nothing(practice: Practice) -> None:
    own = practice.organization
    wrong = "MS0-somebody-elses-key-au4"
    status, said = practice.ask("PUT", f"cliniko/connection/{own}", json={"api_key": wrong})
    assert (status, wrong in str(said)) == (400, False)
    tested = practice.ask("GET", f"cliniko/test-connection/{own}")[1]
    assert (tested["success"], tested["error"]) == (True, None)
    assert tested["total_patients_available"] == len(practice.source().patients)
    assert tested["practitioners_count"] > 0
    practice.change("revoke_key")
    tested = practice.ask("GET", f"cliniko/test-connection/{own}")[1]
    assert (tested["success"], tested["total_patients_available"]) == (False, None)
    assert practice.ask("GET", f"cliniko/status/{own}")[1]["credentials_valid"] is False
    assert practice.ask("DELETE", f"cliniko/connection/{own}")[0] == 200
    assert practice.ask("GET", f"cliniko/test-connection/{own}")[0] == 409
    assert practice.ask("POST", "sync/trigger")[0] == 409


def test_two_organizations_never_see_each_other(another_practice: Callable[[], Practice]) -> None:
    one, other = another_practice(), another_practice()
    theirs = other.run()["sync_id"]
    for method, path in (
        ("GET", f"sync/progress/{theirs}"),
        ("GET", f"sync/progress/{theirs}/stream"),
        ("POST", f"sync/cancel/{theirs}"),
        ("GET", f"sync/progress/{theirs.replace('2026', '1999')}"),
    ):
        assert one.ask(method, path)[0] == 404
    foreign = other.organization
    for method, path in (
        ("GET", f"sync/history/{foreign}"),
        ("GET", f"sync/rejected/{foreign}"),
        ("POST", f"sync/schedule/{foreign}/pause"),
        ("GET", f"cliniko/debug/{foreign}"),
        ("GET", f"cliniko/test-connection/{foreign}"),
        ("DELETE", f"cliniko/connection/{foreign}"),
        ("POST", f"cliniko/import-patients/{foreign}"),
    ):
        assert one.ask(method, path)[0] == 403
    assert one.ask("GET", f"sync/history/{one.organization}")[1]["total_syncs"] == 0
    other.agrees()


def test_all_is_said_again_and_keys_are_sealed_anew_while_runs_go_on(another_practice: Callable[[], Practice]) -> None:
    busy, known = another_practice(), another_practice()
    system, sealing = busy.system, "API keys were sealed anew"
    known.run()
    system.command("keys", "add")
    assert system.command("keys", "rotate", check=False).returncode != 0  # those who run do not have it yet
    system.command("down")
    system.command("up", "--detach")
    busy.fault("limit", path="individual_appointments", page=3, reset=1, times=0)
    sync_id = busy.start()
    until_step(busy, sync_id, "Processing appointments")
    said = [system.command("replay", one.organization).stdout for one in (busy, known)]
    assert all(int(text.split()[0]) > 300 for text in said)
    assert sealing in system.command("keys", "rotate").stdout
    assert busy.progress(sync_id)["status"] == "running"
    busy.heal()
    assert busy.ended(sync_id)["status"] == "completed"
    for one in (busy, known):
        assert one.run("incremental")["status"] == "completed"
        one.agrees()
