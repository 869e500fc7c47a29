"""Where other releases than today's are made, once."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deploys.next_release import copy_today, foresee
from tests.deploys.released import named, take_out

from routiq.servers import rabbitmq


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Path]:
    into = Path(tempfile.mkdtemp(prefix="routiq-releases-"))
    yield into
    shutil.rmtree(into)


@pytest.fixture(scope="session")
def released(elsewhere: Path) -> Path:
    """The code of the previous release."""
    return take_out(named("commit"), elsewhere / "released")


@pytest.fixture(scope="session")
def next_release(elsewhere: Path) -> Path:
    """Today's code, and what a release may add."""
    return foresee(copy_today(elsewhere / "next"))


@pytest.fixture(scope="session")
def broker() -> str:
    """The real one; RabbitMQ is what deploys meet."""
    if rabbitmq.find() is None:
        assert os.environ.get("ROUTIQ_REQUIRE_RABBITMQ") != "1", "rabbitmq-server is required, and not installed"
        return "embedded"
    return "installed"
