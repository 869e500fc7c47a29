"""What a service writes of each request and each message: whose it was, how long it took, how it ended."""

import json
from typing import Any

import pytest
from tests.conftest import HARBOUR, System
from tests.watching.prometheus import until

pytestmark = pytest.mark.e2e

Line = dict[str, Any]
QUEUE = "patients.sync.run.changed.v1"


def lines(system: System, service: str, event: str, request_id: str) -> list[Line]:
    """Those of one request, however many services it went through."""
    text = (system.home / ".routiq" / "logs" / f"{service}.log").read_text()
    found = [json.loads(line) for line in text.splitlines() if request_id in line]
    return [line for line in found if line["event"] == event]


def test_a_services_line_of_a_request_says_which_whose_how_long_and_how_it_ended(system: System) -> None:
    answer = system.call("GET", f"/api/v1/patients/{HARBOUR}/patients", HARBOUR).raise_for_status()
    request_id = answer.headers["x-request-id"]
    until(lambda: lines(system, "patients", "request", request_id), 10)
    (line,) = lines(system, "patients", "request", request_id)
    assert (line["service"], line["organization_id"], line["request_id"]) == ("patients", HARBOUR, request_id)
    assert (line["method"], line["status"], line["outcome"]) == ("GET", 200, "complete")
    assert line["duration_ms"] > 0


def test_a_services_line_of_a_message_says_which_whose_how_long_and_how_it_ended(system: System) -> None:
    answer = system.call("POST", f"/api/v1/cliniko/sync/{HARBOUR}?mode=incremental", HARBOUR).raise_for_status()
    request_id = answer.headers["x-request-id"]
    system.until_completed(HARBOUR, answer.json()["sync_id"])

    def told() -> list[Line]:
        return [line for line in lines(system, "patients", "message", request_id) if line["queue"] == QUEUE]

    until(told, 30)
    for line in told():
        assert (line["service"], line["organization_id"], line["outcome"]) == ("patients", HARBOUR, "handled")
        assert line["duration_ms"] > 0
        assert line["event_id"]
