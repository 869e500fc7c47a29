"""The TypeScript client, installed from its lock file and compiled once."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import RIDGE, System, running

SOURCE = Path(__file__).parents[2] / "clients" / "typescript"
NODE, NPM = shutil.which("node") or "", shutil.which("npm") or ""
"""Empty where they are not installed."""


@dataclass(frozen=True)
class Workshop:
    """A copy of the client's folder, in which things may be made."""

    home: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """In this folder, with the environment that npm needs and what is named."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROUTIQ_")}
        return subprocess.run(
            command,
            cwd=self.home,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def tool(self, name: str) -> str:
        return str(self.home / "node_modules" / ".bin" / name)


def installed(source: Path, home: Path) -> Workshop:
    """A copy with the packages of its lock file; skips without Node, fails where they cannot be had."""
    if not NODE or not NPM:
        assert os.environ.get("ROUTIQ_REQUIRE_TYPESCRIPT") != "1", "Node and npm are required, and not installed"
        pytest.skip("Node and npm are not installed")
    shutil.copytree(source, home, ignore=shutil.ignore_patterns("node_modules", "dist"))
    made = Workshop(home)
    done = made.run(NPM, "ci")
    assert done.returncode == 0, f"npm ci: the locked packages cannot be installed here\n{done.stderr}"
    return made


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    root = tmp_path_factory.mktemp("clients")
    shutil.copytree(SOURCE.parents[1] / "docs", root / "docs")
    return installed(SOURCE, root / "clients" / "typescript")


@pytest.fixture(scope="session")
def compiled(workshop: Workshop) -> Workshop:
    """Also shows that what must not compile does not: see the client's tests/types.ts."""
    done = workshop.run(NPM, "run", "build")
    assert done.returncode == 0, done.stdout
    return workshop


@pytest.fixture(scope="session")
def started() -> Iterator[System]:
    """A system of its own, for budgets are spent."""
    with running("embedded") as system:
        yield system


@pytest.fixture(scope="session")
def surroundings(started: System) -> dict[str, str]:
    """What the client's tests and examples are told."""
    return {
        "ROUTIQ_URL": started.url(""),
        "ROUTIQ_ORGANIZATION": RIDGE,
        "ROUTIQ_TOKEN": started.token(RIDGE),
        "ROUTIQ_SPENDABLE_TOKEN": started.token("org_nobody"),
    }
