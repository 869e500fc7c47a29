"""What was announced after the backup, and lies in queues while it is brought back, brings nothing wrong with it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.conftest import System
from tests.faults.practice import Practice
from tests.recovery.steps import back_up, erase, history, ids, restore, until

pytestmark = pytest.mark.e2e

KEEP_WAITING = "BEGIN; LOCK TABLE patients.inbox, analytics.inbox, sync.inbox IN EXCLUSIVE MODE"


@pytest.mark.parametrize("lost", [False, True])
async def test_what_was_announced_in_a_time_that_is_undone_is_not_listened_to(
    damaged: System, clinics: tuple[Practice, Practice], lost: bool
) -> None:
    erasing, changing = clinics
    for practice in clinics:
        practice.run()
    place = back_up(damaged)
    forgotten = erasing.patients()["patients"][0]
    async with _queues_that_fill(damaged):
        (passing,) = changing.change("insert", values={"first_name": "Passing"})
        for practice in clinics:
            practice.change("update", count=20, values={"first_name": "New"})
            _until_landed(practice, practice.start("incremental"))
        erase(erasing, forgotten)
        assert changing.ask("DELETE", f"cliniko/connection/{changing.organization}")[0] == 200
        changing.change("erase", id=passing, trace=False)
        damaged.command("down")
    if lost:
        shutil.rmtree(damaged.home / ".routiq" / "postgres")
    restore(damaged, place)
    damaged.command("up", "--detach")
    for practice in clinics:
        damaged.command("replay", practice.organization)
        damaged.command("sync", practice.organization)
    if lost:
        erase(erasing, forgotten)  # as the operator was told to have the clinics do

    changing.agrees()
    for practice in clinics:
        dashboard = _dashboard(practice)
        assert dashboard["summary"]["integration_status"] == "Connected"
        assert [run["id"] for run in dashboard["recent_activity"]] == history(practice)[
            : len(dashboard["recent_activity"])
        ]
    assert forgotten["id"] not in ids(erasing)
    until(lambda: erasing.summary()["total_patients"] == len(ids(erasing)))
    assert "whole" in damaged.command("audit", "verify").stdout


@asynccontextmanager
async def _queues_that_fill(system: System) -> AsyncIterator[None]:
    """Nobody handles a message meanwhile, nor afterwards if the system is down by then."""
    owner = await asyncpg.connect(system.owner_url)
    await owner.execute(KEEP_WAITING)
    try:
        yield
    finally:
        owner.terminate()


def _until_landed(practice: Practice, sync_id: str) -> None:
    until(lambda: practice.progress(sync_id)["current_step"].startswith("Delivering"))


def _dashboard(practice: Practice) -> Any:
    return practice.system.get(f"/api/v1/dashboard/{practice.organization}", practice.organization)
