"""A frontend's calls, made by a real browser from a page of its own origin: what it may send, and what it may read."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.conftest import HARBOUR, RIDGE, System
from tests.e2e.browser import COMMAND, Browser, browser
from tests.e2e.frontends import gibberish, replica, serving, silence

from routiq.ports import free_port

pytestmark = pytest.mark.e2e
DASHBOARD = f"/api/v1/dashboard/{HARBOUR}"
PATIENTS = f"/api/v1/patients/{HARBOUR}/patients"
OPERATORS_ONLY = "/api/v1/admin/monitoring/system-health"
REQUEST_ID = "0ea5b4c6-6d8e-4a1f-9d3a-111111111111"
CALL = """async (url, options) => {
    try {
        const response = await fetch(url, options);
        return {status: response.status, headers: Object.fromEntries(response.headers), text: await response.text()};
    } catch (error) {
        return {failed: error.name};
    }
}"""


@dataclass(frozen=True)
class Frontend:
    """Pages of an origin that may call, and of one that may not, before the same gateway."""

    page: Browser
    gateway: str
    own: str
    foreign: str

    def call(self, path: str, token: str | None, method: str = "GET", **more: Any) -> dict[str, Any]:
        """What a script on the open page learns from this call."""
        headers = {"X-Organization-ID": HARBOUR, "X-Request-ID": REQUEST_ID, **more.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        options = {"method": method, "headers": headers, **more}
        learned = self.page.run(f"({CALL})({json.dumps(self.gateway + path)}, {json.dumps(options)})")
        return dict(learned)

    def open(self, origin: str) -> None:
        self.page.open(f"{origin}/")
        self.page.until(f"location.origin === {json.dumps(origin)} && document.readyState === 'complete'")

    def answered(self, method: str) -> float:
        """How many requests with this method the gateway has answered."""
        counts = [
            line for line in httpx.get(f"{self.gateway}/metrics").text.splitlines() if f'method="{method}"' in line
        ]
        return sum(float(line.split()[-1]) for line in counts if line.startswith("routiq_gateway_requests_total{"))


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    if COMMAND is None:
        pytest.skip("no Chromium on this machine")
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def frontend(system: System, page: Browser) -> Iterator[Frontend]:
    with serving({}) as own, serving({}) as foreign, replica(system, ALLOWED_ORIGINS=own) as gateway:
        yield Frontend(page, gateway, own, foreign)


@pytest.fixture
def broken(system: System, page: Browser) -> Iterator[Frontend]:
    """The gateway's services are away, talk gibberish, or say nothing."""
    with ExitStack() as opened:
        own = opened.enter_context(serving({}))
        services = {
            "PATIENTS_URL": f"http://127.0.0.1:{free_port()}",
            "ANALYTICS_URL": opened.enter_context(gibberish()),
            "SYNC_URL": opened.enter_context(silence()),
        }
        settings = {"ALLOWED_ORIGINS": own, "SERVICE_TIMEOUT_SECONDS": "0.5", **services}
        yield Frontend(page, opened.enter_context(replica(system, **settings)), own, own)


def read(learned: dict[str, Any], status: int) -> Any:
    """The JSON of an answer with every header a frontend needs."""
    assert learned.get("status") == status, learned
    headers = learned["headers"]
    assert headers["x-request-id"] == REQUEST_ID
    for name in ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"):
        assert int(headers[name]) >= 0
    return json.loads(learned["text"])


def refused(learned: dict[str, Any], status: int, error: str) -> None:
    content = read(learned, status)
    assert content["error"] == error
    assert content.keys() >= {"error", "detail", "timestamp", "path"}


def test_a_page_of_the_frontend_reads_answers_and_their_headers(system: System, frontend: Frontend) -> None:
    frontend.open(frontend.own)
    preflights, token = frontend.answered("OPTIONS"), system.token(HARBOUR)
    summary = read(frontend.call(DASHBOARD, token), 200)["summary"]
    assert summary["total_patients"] > 0
    assert frontend.answered("OPTIONS") > preflights, "the browser asked whether it may"
    document = frontend.call("/openapi.json", None)
    assert read(document, 200)["openapi"]
    known = {"If-None-Match": document["headers"]["etag"]}
    assert frontend.call("/openapi.json", None, headers=known)["status"] == 304


def test_a_page_of_the_frontend_sends_json(system: System, frontend: Frontend) -> None:
    frontend.open(frontend.own)
    nobody = {"Content-Type": "application/json", "X-Organization-ID": "org_nobody"}
    asked = frontend.call(
        "/api/v1/cliniko/sync/org_nobody", system.token("org_nobody"), "POST", headers=nobody, body="{}"
    )
    refused(asked, 409, "Conflict")
    body, json_type = json.dumps({"api_key": "wrong-au4"}), {"Content-Type": "application/json"}
    connection = f"/api/v1/cliniko/connection/{HARBOUR}"
    refused(
        frontend.call(connection, system.token(HARBOUR), "PUT", headers=json_type, body=body), 400, "Validation error"
    )


def test_a_page_of_the_frontend_takes_up_a_stream_again(system: System, frontend: Frontend) -> None:
    sync_id = system.get(f"/api/v1/sync/history/{HARBOUR}?limit=1", HARBOUR)["recent_syncs"][0]["sync_id"]
    frontend.open(frontend.own)
    taken_up = {"Accept": "text/event-stream", "Last-Event-ID": "0"}
    stream = frontend.call(f"/api/v1/sync/progress/{sync_id}/stream", system.token(HARBOUR), headers=taken_up)
    assert stream.get("status") == 200, stream
    assert "event: end" in stream["text"]


def test_a_page_of_the_frontend_reads_why_it_was_refused(system: System, frontend: Frontend) -> None:
    frontend.open(frontend.own)
    token = system.token(HARBOUR)
    refused(frontend.call(DASHBOARD, None), 401, "Authentication failed")
    refused(frontend.call(DASHBOARD, "wrong"), 401, "Authentication failed")
    refused(frontend.call(OPERATORS_ONLY, token), 403, "Access denied")
    refused(frontend.call(DASHBOARD, token, headers={"X-Organization-ID": RIDGE}), 400, "Validation error")
    refused(frontend.call("/api/v1/nowhere", token), 404, "Not found")
    refused(frontend.call("/health", token, "DELETE"), 405, "Method not allowed")
    refused(frontend.call(PATIENTS, token, "POST", body="x" * 2_000_000), 413, "Payload too large")
    bearer = {"authorization": f"Bearer {token}"}
    while httpx.get(frontend.gateway + OPERATORS_ONLY, headers=bearer).status_code != 429:
        pass
    refused(frontend.call(OPERATORS_ONLY, token), 429, "Rate limit exceeded")


def test_a_page_of_the_frontend_reads_that_a_service_is_broken(system: System, broken: Frontend) -> None:
    broken.open(broken.own)
    token = system.token(HARBOUR)
    refused(broken.call(PATIENTS, token), 503, "Service unavailable")
    refused(broken.call(DASHBOARD, token), 502, "Bad gateway")
    refused(broken.call(f"/api/v1/cliniko/status/{HARBOUR}", token), 504, "Gateway timeout")


def test_a_page_of_another_origin_reads_nothing(system: System, frontend: Frontend) -> None:
    frontend.open(frontend.foreign)
    token, posted = system.token(HARBOUR), frontend.answered("POST")
    for path, offered in ((DASHBOARD, token), (DASHBOARD, None), ("/api/v1/nowhere", token), ("/health", None)):
        assert frontend.call(path, offered) == {"failed": "TypeError"}
    assert frontend.call(f"/api/v1/cliniko/sync/{HARBOUR}", token, "POST", body="{}") == {"failed": "TypeError"}
    assert frontend.answered("POST") == posted, "the browser did not even send it"


def test_a_page_of_another_origin_reads_nothing_without_asking_either(frontend: Frontend) -> None:
    frontend.open(frontend.foreign)
    url = json.dumps(f"{frontend.gateway}/health")
    assert frontend.page.run(f"({CALL})({url}, {{}})") == {"failed": "TypeError"}
    opaque = frontend.page.run(f"({CALL})({url}, {{mode: 'no-cors'}})")
    assert opaque == {"status": 0, "headers": {}, "text": ""}
    frontend.open(frontend.own)
    assert frontend.page.run(f"({CALL})({url}, {{}})")["status"] == 200
