"""The documents that are generated and kept in `docs/`: each is what its command makes today."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator
from tests.clients.conftest import installed
from tests.conftest import System

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "docs" / "openapi.json"
ASYNCAPI = ROOT / "docs" / "asyncapi.json"
PUBLISHED = "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"


def test_the_openapi_file_is_what_the_services_describe_today(tmp_path: Path) -> None:
    made = tmp_path / "openapi.json"
    subprocess.run([sys.executable, str(ROOT / "docs" / "openapi.py"), str(made)], check=True, timeout=120)
    assert OPENAPI.read_text() == made.read_text(), "run: make documents"


@pytest.mark.e2e
def test_the_openapi_file_is_what_a_running_gateway_serves(started: System) -> None:
    assert json.loads(OPENAPI.read_text()) == httpx.get(started.url("/openapi.json")).json()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Draft7Validator:
    """AsyncAPI's own schema, from its package."""
    package = installed(Path(__file__).with_name("asyncapi"), tmp_path_factory.mktemp("asyncapi") / "package")
    return Draft7Validator(json.loads((package.home / PUBLISHED).read_text()))


@pytest.fixture
def events() -> dict[str, Any]:
    return dict(json.loads(ASYNCAPI.read_text()))


def test_the_asyncapi_file_is_valid(published: Draft7Validator, events: dict[str, Any]) -> None:
    assert [error.message for error in published.iter_errors(events)] == []


@pytest.mark.parametrize("part", ["channels", "operations"])
def test_a_damaged_asyncapi_file_would_be_found(published: Draft7Validator, events: dict[str, Any], part: str) -> None:
    damaged = copy.deepcopy(events)
    next(iter(damaged[part].values()))["no such key"] = True
    assert list(published.iter_errors(damaged))
