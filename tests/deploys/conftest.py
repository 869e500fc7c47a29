"""Where the previous release is taken out, once."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deploys.released import commit_of, take_out

from routiq.servers import rabbitmq


@pytest.fixture(scope="session")
def released() -> Iterator[dict[str, Path]]:
    """The code whose contracts, and the code whose schema, the previous release had."""
    into = Path(tempfile.mkdtemp(prefix="routiq-released-"))
    try:
        yield {part: take_out(commit_of(part), into / part) for part in ("contracts", "schema")}
    finally:
        shutil.rmtree(into)


@pytest.fixture
def home() -> Iterator[Path]:
    """Servers' data are thrown away afterwards: pytest's own directories would be kept."""
    into = Path(tempfile.mkdtemp(prefix="routiq-deploys-"))
    yield into
    shutil.rmtree(into)


@pytest.fixture
def broker() -> str:
    """The real one; RabbitMQ is what deploys meet."""
    if rabbitmq.find() is None:
        assert os.environ.get("ROUTIQ_REQUIRE_RABBITMQ") != "1", "rabbitmq-server is required, and not installed"
        return "embedded"
    return "installed"
