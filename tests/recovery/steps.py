"""What is done to the system in these tests, and what is asked of it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import System
from tests.faults.practice import Practice

PATIENCE_SECONDS = 60.0


def back_up(system: System) -> Path:
    said = system.command("backup").stdout
    (place,) = {line.partition(":")[0] for line in said.splitlines() if line.startswith("backups/")}
    return system.home / place


def restore(system: System, place: Path) -> str:
    """Of a system that is down; what it said."""
    return system.command("restore", str(place)).stdout


def lose_the_queues(system: System) -> None:
    """It is down then."""
    system.command("down")
    for file in (system.home / ".routiq").glob("broker.sqlite*"):
        file.unlink()


def erase(practice: Practice, patient: dict[str, Any]) -> None:
    path = f"/api/v1/patients/{practice.organization}/patients/{patient['id']}"
    assert practice.system.call("DELETE", path, practice.organization).status_code == 200


def ids(practice: Practice) -> set[str]:
    return {one["id"] for one in practice.patients()["patients"]}


def history(practice: Practice) -> Any:
    """The ids of its runs."""
    path = f"/api/v1/sync/history/{practice.organization}"
    return [run["sync_id"] for run in practice.system.get(path, practice.organization)["recent_syncs"]]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def until_figures_count(practice: Practice, patients: int) -> None:
    until(lambda: practice.summary()["total_patients"] == patients)
