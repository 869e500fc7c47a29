"""A checkout that a test may change as CONTRIBUTING.md says."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.docs.test_documents import ROOT

COPIED = ("libs", "services", "docs", "deploy", "tests", "pyproject.toml", "conftest.py")
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
            command, cwd=self.home, env=environment, capture_output=True, text=True, timeout=280, check=False
        )

    def tested(self, *tests: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "pytest", "-vv", "-p", "no:cacheprovider", *(tests or ("libs/contracts",)))

    def make(self) -> None:
        """What `make schemas` and `make documents` do without npm, and what RabbitMQ and Kubernetes are told."""
        for command in (
            ["-m", "contracts.schemas", "libs/contracts/schemas"],
            ["-m", "contracts.asyncapi", "docs/asyncapi.json"],
            ["docs/openapi.py", "docs/openapi.json"],
            ["deploy/rabbitmq/generate.py"],
            ["deploy/kubernetes/generate.py"],
        ):
            made = self.run(*command)
            assert made.returncode == 0, made.stderr

    def add(self, file: str, line: str, after: str = FIELD) -> None:
        """After every place that says so."""
        path = self.home / file
        before = path.read_text()
        assert after in before
        path.write_text(before.replace(after, after + line))

    def says(self, file: str) -> str:
        return (self.home / file).read_text()


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    return Copy(tmp_path)
