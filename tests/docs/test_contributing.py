"""CONTRIBUTING.md followed on a copy: what it says fails does fail, and what it says mends it does."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.docs.test_documents import ROOT

COPIED = ("libs", "services", "docs", "pyproject.toml", "conftest.py")
EVENTS, SHAPES = "libs/contracts/src/contracts/events.py", "services/analytics/src/analytics/entrypoints/shapes.py"
FIELD = "    active_patients: int\n"


@dataclass(frozen=True)
class Copy:
    """A checkout to be changed; its packages come before the installed ones."""

    home: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        sources = ":".join(str(source) for part in COPIED[:2] for source in (self.home / part).glob("*/src"))
        environment = {**os.environ, "PYTHONPATH": sources}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.home, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def tested(self) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "libs/contracts")

    def add(self, file: str, line: str) -> None:
        """After every line that says FIELD."""
        path = self.home / file
        before = path.read_text()
        assert FIELD in before
        path.write_text(before.replace(FIELD, FIELD + line))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    return Copy(tmp_path)


def test_a_field_that_may_be_left_out_is_added_to_an_event_and_the_schemas_follow(copy: Copy) -> None:
    copy.add(EVENTS, "    new_patients: int = 0\n")
    told = copy.tested()
    assert told.returncode == 1, told.stdout + told.stderr
    assert "run: make schemas" in told.stdout
    for command in (
        ["-m", "contracts.schemas", "libs/contracts/schemas"],
        ["-m", "contracts.asyncapi", "docs/asyncapi.json"],
    ):
        made = copy.run(*command)
        assert made.returncode == 0, made.stderr
    done = copy.tested()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new_patients" in (copy.home / "docs" / "asyncapi.json").read_text()


def test_a_field_that_must_be_there_breaks_the_contract_and_it_says_so(copy: Copy) -> None:
    copy.add(EVENTS, "    new_patients: int\n")
    told = copy.tested()
    assert told.returncode != 0
    assert "FiguresCounted\nnew_patients\n" in told.stdout.replace("E   ", "").replace("  ", "")


def test_a_field_of_an_answer_is_not_in_the_document_until_it_is_made_anew(copy: Copy) -> None:
    copy.add(SHAPES, "    new_patients: int = 0\n")
    made = copy.run("docs/openapi.py", "made.json")
    assert made.returncode == 0, made.stderr
    before = (copy.home / "docs" / "openapi.json").read_text()
    assert (copy.home / "made.json").read_text() != before
    assert "new_patients" in (copy.home / "made.json").read_text()
