"""An answer only grows: whoever reads the one of the previous release can read today's."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients.answers import Json, lost
from tests.clients.test_documents import OPENAPI, ROOT
from tests.deploys.released import named

NAME = "docs/openapi.json"
DASHBOARD = "get /api/v1/dashboard/{organization_id} 200 application/json"


def test_no_answer_lost_what_the_previous_release_gave() -> None:
    missing = lost(_previous(), _today())
    assert not missing, "\n".join([*missing, "An answer only grows: give the old key beside the new one."])


def test_an_operation_that_is_gone_is_found() -> None:
    changed = _today()
    del changed["paths"]["/api/v1/dashboard/{organization_id}"]["get"]
    assert f"{DASHBOARD} is gone" in lost(_today(), changed)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda summary: summary["properties"].pop("active_patients"), "is gone"),
        (lambda summary: summary["required"].remove("active_patients"), "may be missing"),
        (lambda summary: _retype(summary, {"type": "string"}), "can now be string"),
        (lambda summary: _retype(summary, {"anyOf": [{"type": "integer"}, {"type": "null"}]}), "can now be null"),
    ],
    ids=["removed", "optional", "of another type", "null"],
)
def test_a_key_that_is_gone_or_is_not_what_it_was_is_found(change: Callable[[Json], Any], told: str) -> None:
    changed = _today()
    change(changed["components"]["schemas"]["Summary"])
    assert f"{DASHBOARD}.summary.active_patients {told}" in lost(_today(), changed)


def test_what_is_added_is_no_loss() -> None:
    grown = _today()
    grown["components"]["schemas"]["Summary"]["properties"]["new"] = {"type": "string"}
    grown["paths"]["/api/v1/new"] = grown["paths"]["/api/v1/auth/verify"]
    assert lost(_today(), grown) == []


def _retype(summary: Json, schema: Json) -> None:
    summary["properties"]["active_patients"] = schema


def _today() -> Json:
    return dict(json.loads(OPENAPI.read_text()))


def _previous() -> Json:
    """The released one. The first release had no such file: until the next, the last but one that was committed."""
    released = _git("show", f"{named('commit')}:{NAME}")
    if released is None:
        commits = (_git("log", "-2", "--format=%H", "--", NAME) or "").split()
        assert commits, "git knows no former docs/openapi.json: in a shallow clone `git fetch --unshallow` brings it"
        released = _git("show", f"{commits[-1]}:{NAME}")
    return dict(json.loads(released or ""))


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout if done.returncode == 0 else None
