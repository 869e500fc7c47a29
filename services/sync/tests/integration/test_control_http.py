"""Sync and Cliniko endpoints beyond connecting and starting, in the shapes of the API reference."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

ORGANIZATION = "org_test_clinic"
DOCUMENTED = {
    "trigger": {"message", "sync_started", "organization_id", "timestamp"},
    "scheduler/status": {"organization_id", "sync_running", "last_sync_time", "scheduler_active", "message"},
    "history": {
        "organization_id",
        "total_syncs",
        "successful_syncs",
        "failed_syncs",
        "last_sync_at",
        "last_successful_sync_at",
        "average_sync_duration_seconds",
        "recent_syncs",
    },
    "recent_syncs": {
        "started_at",
        "completed_at",
        "status",
        "records_processed",
        "records_success",
        "records_failed",
        "metadata",
    },
    "metadata": {"sync_type", "patients_processed", "appointments_processed"},
    "status": {
        "organization_id",
        "cliniko_connected",
        "api_region",
        "last_sync",
        "total_patients",
        "sync_enabled",
        "credentials_valid",
    },
    "test-connection": {
        "success",
        "message",
        "organization_id",
        "api_region",
        "api_url",
        "practitioners_count",
        "total_patients_available",
        "response_time_ms",
        "error",
        "timestamp",
    },
    "import-patients": {"success", "message", "organization_id", "sync_id", "timestamp"},
}


async def completed(service: Any, api: Any, path: str = "sync/trigger") -> Any:
    """A run from its trigger to its end; the answer to the trigger."""
    started = (await api("POST", path)).json()
    async with service.working():
        await service.until(lambda: service.landed(started["sync_id"]))
        await service.confirm_everything()
        await service.confirm_everything()
        await service.until_status(started["sync_id"], "completed")
    return started


@pytest.mark.parametrize(
    "path",
    [
        "sync/trigger",
        "sync/scheduler/trigger",
        f"cliniko/sync/{ORGANIZATION}",
        f"cliniko/import-patients/{ORGANIZATION}",
    ],
)
async def test_every_trigger_needs_a_connection_and_answers_with_the_one_run(api: Any, path: str) -> None:
    assert (await api("POST", path, role="member")).status_code == 409
    await api.connect()
    first, second = (await api("POST", path, role="member")).json(), (await api("POST", "sync/trigger")).json()
    assert (first["sync_started"], second["sync_started"]) == (True, False)
    assert first["sync_id"] == second["sync_id"]
    assert second.keys() >= DOCUMENTED["trigger"]
    assert first["organization_id"] == ORGANIZATION


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("", "comprehensive"),
        ("?mode=basic", "basic"),
        ("?mode=patients-only", "patients-only"),
        ("?mode=incremental", "comprehensive"),  # there is nothing yet to go on from
        ("?mode=basic&force_full=true", "comprehensive"),
    ],
)
async def test_a_trigger_takes_a_mode(api: Any, query: str, mode: str) -> None:
    await api.connect()
    assert (await api("POST", f"sync/trigger{query}")).json()["sync_mode"] == mode


@pytest.mark.parametrize("path", ["sync/trigger", f"cliniko/sync/{ORGANIZATION}"])
async def test_an_unknown_mode_is_refused_with_the_valid_ones(api: Any, path: str) -> None:
    await api.connect()
    refused = await api("POST", f"{path}?mode=everything")
    assert refused.status_code == 400
    assert all(mode in refused.json()["detail"] for mode in ("comprehensive", "basic", "patients-only", "incremental"))


async def test_importing_patients_reads_patients_only(api: Any) -> None:
    await api.connect()
    answer = (await api("POST", f"cliniko/import-patients/{ORGANIZATION}")).json()
    assert answer.keys() >= DOCUMENTED["import-patients"]
    assert (answer["success"], answer["sync_mode"]) == (True, "patients-only")


async def test_the_scheduled_run_by_hand_reads_everything_first_and_changes_afterwards(service: Any, api: Any) -> None:
    await api.connect()
    assert (await completed(service, api, "sync/scheduler/trigger"))["sync_mode"] == "comprehensive"
    assert (await api("POST", "sync/scheduler/trigger")).json()["sync_mode"] == "incremental"


async def test_the_scheduler_tells_of_the_run_under_way_and_the_last_one(service: Any, api: Any, control: Any) -> None:
    before = (await api("GET", "sync/scheduler/status", role="member")).json()
    assert before.keys() >= DOCUMENTED["scheduler/status"]
    assert (before["sync_running"], before["last_sync_time"], before["scheduler_active"]) == (False, None, False)
    assert before["paused_reason"] == "not_connected"
    await api.connect()
    control.now = datetime.fromisoformat((await api("POST", "sync/trigger")).json()["timestamp"])
    await control.scheduler().tick()
    during = (await api("GET", "sync/scheduler/status")).json()
    assert (during["sync_running"], during["scheduler_active"], during["paused_reason"]) == (True, True, None)
    assert during["sync_id"]
    assert datetime.fromisoformat(during["next_sync_at"]) > control.now
    await api("POST", f"sync/cancel/{during['sync_id']}")
    ended = (await completed(service, api))["sync_id"]
    after = (await api("GET", "sync/scheduler/status")).json()
    assert (after["sync_running"], after["sync_id"]) == (False, None)
    assert after["last_sync_time"] == (await api("GET", f"sync/progress/{ended}")).json()["completed_at"]


async def test_history_tells_of_every_run_newest_first(service: Any, api: Any) -> None:
    await api.connect()
    ids = [(await completed(service, api))["sync_id"] for _ in range(2)]
    ids.append((await api("POST", "sync/trigger")).json()["sync_id"])
    await api("POST", f"sync/cancel/{ids[-1]}")
    ids.append((await api("POST", "sync/trigger")).json()["sync_id"])
    history = (await api("GET", f"sync/history/{ORGANIZATION}", role="member")).json()
    assert history.keys() >= DOCUMENTED["history"]
    assert [run["sync_id"] for run in history["recent_syncs"]] == ids[::-1]
    assert [run["status"] for run in history["recent_syncs"]] == ["queued", "cancelled", "completed", "completed"]
    counted = [history[f"{kind}_syncs"] for kind in ("total", "successful", "failed", "cancelled")]
    assert counted == [4, 2, 0, 1]
    for run in history["recent_syncs"]:
        assert run.keys() >= DOCUMENTED["recent_syncs"]
        assert run["metadata"].keys() >= DOCUMENTED["metadata"]
        assert run["records_processed"] == run["records_success"] + run["records_failed"]
    queued, cancelled, newest, oldest = history["recent_syncs"]
    assert queued["completed_at"] is None
    assert newest["metadata"]["patients_processed"] > 0
    assert history["last_sync_at"] == cancelled["completed_at"]
    assert history["last_successful_sync_at"] == newest["completed_at"]
    durations = [
        (datetime.fromisoformat(run["completed_at"]) - datetime.fromisoformat(run["started_at"])).total_seconds()
        for run in (newest, oldest)
    ]
    assert history["average_sync_duration_seconds"] == pytest.approx(sum(durations) / 2, abs=0.06)
    assert len((await api("GET", f"sync/history/{ORGANIZATION}?limit=1")).json()["recent_syncs"]) == 1


async def test_a_clinic_without_runs_has_an_empty_history(api: Any) -> None:
    history = (await api("GET", f"sync/history/{ORGANIZATION}")).json()
    assert (history["total_syncs"], history["recent_syncs"]) == (0, [])
    assert history["last_sync_at"] is history["average_sync_duration_seconds"] is None


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", ""])
async def test_a_history_that_is_none_is_refused(api: Any, limit: str) -> None:
    assert (await api("GET", f"sync/history/{ORGANIZATION}?limit={limit}")).status_code == 400


async def test_status_follows_the_connection(service: Any, api: Any, cliniko: Any) -> None:
    path = f"cliniko/status/{ORGANIZATION}"
    nothing = (await api("GET", path)).json()
    assert nothing.keys() >= DOCUMENTED["status"]
    flags = ("cliniko_connected", "credentials_valid", "sync_enabled")
    assert [nothing[flag] for flag in flags] == [False, False, False]
    assert (nothing["api_region"], nothing["last_sync"], nothing["total_patients"]) == (None, None, 0)
    await api.connect()
    await completed(service, api)
    status = (await api("GET", path, role="member")).json()
    assert [status[flag] for flag in flags] == [True, True, True]
    assert status["api_region"] == "au4"
    assert status["last_sync"]
    assert 0 < status["total_patients"] <= await cliniko.total("patients")
    await api("POST", f"sync/schedule/{ORGANIZATION}/pause")
    assert not (await api("GET", path)).json()["sync_enabled"]
    await api("DELETE", f"cliniko/connection/{ORGANIZATION}")
    gone = (await api("GET", path)).json()
    assert [gone[flag] for flag in flags] == [False, False, False]
    assert gone["total_patients"] == status["total_patients"]


async def test_the_connection_is_tested_live(api: Any, cliniko: Any) -> None:
    path = f"cliniko/test-connection/{ORGANIZATION}"
    assert (await api("GET", path)).status_code == 409
    await api.connect()
    answer = (await api("GET", path, role="member")).json()
    assert answer.keys() == DOCUMENTED["test-connection"]
    assert (answer["success"], answer["error"], answer["api_region"]) == (True, None, "au4")
    assert answer["api_url"] == cliniko.template.replace("{shard}", "au4")
    assert answer["total_patients_available"] == await cliniko.total("patients")
    assert answer["practitioners_count"] == await cliniko.total("practitioners")
    assert answer["response_time_ms"] > 0


@pytest.mark.parametrize(("status", "still_valid"), [(401, False), (403, True), (429, True), (503, True)])
async def test_a_refusal_by_cliniko_is_told_with_its_reason(
    api: Any, cliniko: Any, status: int, *, still_valid: bool
) -> None:
    await api.connect()
    await cliniko.settings(fail_next={"status": status, "times": 1})
    answer = await api("GET", f"cliniko/test-connection/{ORGANIZATION}")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["success"], told["total_patients_available"]) == (False, None)
    assert told["error"]
    assert (await api("GET", f"cliniko/status/{ORGANIZATION}")).json()["credentials_valid"] is still_valid
    if status != 429:  # after which Cliniko is left in peace for a while
        assert (await api("GET", f"cliniko/test-connection/{ORGANIZATION}")).json()["success"]
        assert (await api("GET", f"cliniko/status/{ORGANIZATION}")).json()["credentials_valid"]


async def test_members_may_not_confirm_that_much_is_gone(api: Any) -> None:
    await api.connect()
    for path in ("sync/trigger", f"cliniko/sync/{ORGANIZATION}"):
        assert (await api("POST", f"{path}?confirm_removals=true", role="member")).status_code == 403
    assert (await api("POST", "sync/trigger?confirm_removals=true")).json()["sync_started"]


async def test_an_administrator_looks_inside_and_sees_no_patient(service: Any, api: Any, cliniko: Any) -> None:
    path = f"cliniko/debug/{ORGANIZATION}"
    assert (await api("GET", path)).json()["records"] == {}
    await api.connect()
    await completed(service, api)
    assert (await api("GET", path, role="member")).status_code == 403
    answer = await api("GET", path)
    inside = answer.json()
    assert inside["records"]["patients"] == await cliniko.total("patients", "archived_at:*")
    assert inside["syncs"]["completed"] == 1
    shares = inside["field_presence"]["patients"]
    assert shares["cliniko_patient_id"] == 1
    assert 0 < shares["email"] < 1
    names_of_patients = text("SELECT record ->> 'last_name' FROM landed WHERE kind = 'patients'")
    async with service.database.transaction(ORGANIZATION) as connection:
        names = [name for name in await connection.scalars(names_of_patients) if len(name) > 3]
    assert [name for name in names if name in answer.text] == []


async def test_an_administrator_pages_through_the_records_that_were_set_aside(service: Any, api: Any) -> None:
    insert = text("""
        INSERT INTO rejected (organization_id, kind, cliniko_id, sync_id, reason)
        SELECT :organization_id, CASE WHEN n % 2 = 0 THEN 'patients' ELSE 'appointments' END, n::text, 'sync_x', 'why'
        FROM generate_series(1, 25) AS n
    """)
    for organization_id in (ORGANIZATION, "org_other"):
        async with service.database.transaction(organization_id) as connection:
            await connection.execute(insert, {"organization_id": organization_id})
    path = f"sync/rejected/{ORGANIZATION}"
    assert (await api("GET", path, role="member")).status_code == 403
    found, cursor = [], ""
    while cursor is not None:
        page = (await api("GET", f"{path}?limit=10{cursor and '&cursor=' + cursor}")).json()
        assert page["total_count"] == 25
        assert len(page["rejected"]) <= 10
        found += [(one["kind"], one["cliniko_id"]) for one in page["rejected"]]
        cursor = page["next_cursor"]
    assert len(set(found)) == len(found) == 25
    assert found == sorted(found)


@pytest.mark.parametrize("query", ["cursor=%00", "cursor=abc", "cursor=%C3%A9", "limit=0", "limit=1001", "cursor=_w=="])
async def test_a_page_that_is_none_is_refused(api: Any, query: str) -> None:
    assert (await api("GET", f"sync/rejected/{ORGANIZATION}?{query}")).status_code == 400


async def test_the_schedule_is_paused_and_resumed_by_an_administrator(api: Any) -> None:
    path = f"sync/schedule/{ORGANIZATION}"
    assert (await api("POST", f"{path}/pause")).status_code == 409
    await api.connect()
    assert (await api("POST", f"{path}/pause", role="member")).status_code == 403
    paused = (await api("POST", f"{path}/pause")).json()
    assert (paused["schedule_enabled"], paused["paused_reason"]) == (False, "paused_by_administrator")
    resumed = (await api("POST", f"{path}/resume")).json()
    assert (resumed["schedule_enabled"], resumed["paused_reason"]) == (True, None)
    assert resumed["next_sync_at"]


async def test_a_run_is_cancelled_by_any_member_of_its_own_organization(api: Any) -> None:
    await api.connect()
    sync_id = (await api("POST", "sync/trigger")).json()["sync_id"]
    assert (await api("POST", f"sync/cancel/{sync_id}", organization_id="org_other")).status_code == 404
    for _ in range(2):
        answer = (await api("POST", f"sync/cancel/{sync_id}", role="member")).json()
        assert (answer["success"], answer["status"], answer["sync_id"]) == (True, "cancelled", sync_id)
    progress = (await api("GET", f"sync/progress/{sync_id}")).json()
    assert (progress["status"], progress["failure"]) == ("cancelled", "Cancelled on request.")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "sync/history/org_other"),
        ("GET", "sync/rejected/org_other"),
        ("POST", "sync/schedule/org_other/pause"),
        ("POST", "sync/schedule/org_other/resume"),
        ("GET", "cliniko/status/org_other"),
        ("GET", "cliniko/test-connection/org_other"),
        ("GET", "cliniko/debug/org_other"),
        ("POST", "cliniko/import-patients/org_other"),
        ("GET", "sync/progress/sync_org_other_20250630_120000/stream"),
    ],
)
async def test_another_organization_is_not_found_and_a_stranger_not_answered(api: Any, method: str, path: str) -> None:
    assert (await api(method, path)).status_code == 404
    assert (await api.http.request(method, f"/api/v1/{path}")).status_code == 401


async def test_an_envelope_of_another_installation_is_a_conflict_and_not_our_failure(service: Any, api: Any) -> None:
    await api.connect()
    async with service.database.transaction(ORGANIZATION) as connection:
        await connection.execute(text("UPDATE connections SET api_key = overlay(api_key placing 'gone' from 3 for 4)"))
    answer: httpx.Response = await api("GET", f"cliniko/test-connection/{ORGANIZATION}")
    assert answer.status_code == 409
    sync_id = (await api("POST", "sync/trigger")).json()["sync_id"]
    async with service.working():
        await service.until_status(sync_id, "failed")
    assert "cannot be opened" in (await service.run(sync_id)).failure
