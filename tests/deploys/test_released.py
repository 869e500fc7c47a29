"""The previous release is really what runs, or the tests say that it cannot be had."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploys.fleet import SERVICES
from tests.deploys.released import python_path, take_out


@pytest.mark.parametrize("module", [*SERVICES, "chassis", "contracts"])
def test_a_process_of_the_previous_release_imports_its_own_code(released: dict[str, Path], module: str) -> None:
    root = released["contracts"]
    where = subprocess.run(
        [sys.executable, "-c", f"import {module}; print({module}.__file__)"],
        env={"PYTHONPATH": python_path(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(root)


def test_a_release_that_is_not_in_the_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"the previous release 0{40} cannot be had .*\n.* --unshallow"):
        take_out("0" * 40, tmp_path)
