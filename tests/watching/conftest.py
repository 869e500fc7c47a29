"""Prometheus beside a running system. Without its programs these tests are left out, except where they must not be."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import System, running
from tests.watching.prometheus import Prometheus, watching


@pytest.fixture(scope="session")
def promtool() -> str:
    """The program's path."""
    found = shutil.which("promtool")
    if found is None or shutil.which("prometheus") is None:
        missing = "prometheus and promtool are not installed"
        assert os.environ.get("ROUTIQ_REQUIRE_PROMETHEUS") != "1", missing
        pytest.skip(missing)
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """For Prometheus' data: not pytest's own directory, which keeps those of the last three sessions."""
    with tempfile.TemporaryDirectory(prefix="routiq-watching-") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def system_of_our_own() -> Iterator[System]:
    """Its parts are brought down in turn."""
    with running("embedded") as system:
        yield system


@pytest.fixture
def watched(promtool: str, system_of_our_own: System, home: Path) -> Iterator[Prometheus]:
    with watching(system_of_our_own, home) as prometheus:
        yield prometheus
