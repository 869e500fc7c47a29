"""The previous release is really what runs, or the tests say that it cannot be had."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploys.fleet import SERVICES
from tests.deploys.released import named, python_path, take_out

from contracts.schemas import EVENTS, breaking_changes, file_name

SCHEMAS = "libs/contracts/schemas/*.json"


@pytest.mark.parametrize("module", [*SERVICES, "chassis", "contracts"])
def test_a_process_of_the_previous_release_imports_its_own_code(released: Path, module: str) -> None:
    where = subprocess.run(
        [sys.executable, "-c", f"import {module}; print({module}.__file__)"],
        env={"PYTHONPATH": python_path(released)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(released)


def test_a_release_that_is_not_in_the_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"the previous release 0{40} cannot be had .*\n.* --unshallow"):
        take_out("0" * 40, tmp_path)


def test_todays_events_keep_what_the_released_ones_promise(released: Path) -> None:
    """The committed schemas may have been written anew since; those of the release are what is out there."""
    today = {file_name(event): event.model_json_schema() for event in EVENTS}
    promised = {file.name: json.loads(file.read_text()) for file in released.glob(SCHEMAS)}
    assert promised
    assert promised.keys() - today.keys() == set(named("withdrawn"))
    broken = {name: breaking_changes(schema, today[name]) for name, schema in promised.items() if name in today}
    assert {name: changes for name, changes in broken.items() if changes} == {}
