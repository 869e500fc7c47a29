"""What a request sets off, from the gateway to the last consumer, is one trace, of names and ids and nothing more."""

from collections.abc import Iterator

import httpx
import pytest
from tests.collector import Collector, Received, collecting
from tests.conftest import HARBOUR, KEYS, System, running

ATTRIBUTES = {
    *("routiq.organization_id", "routiq.request_id", "routiq.sync_id", "routiq.outcome", "routiq.count"),
    *("http.request.method", "http.route", "http.response.status_code", "server.address"),
    *("messaging.destination.name", "error.type"),
}
PAGE = {("patients", "handle sync.patients.synced.v1"), ("analytics", "handle sync.patients.synced.v1")}
LAST = {("patients", "handle sync.run.changed.v1"), ("analytics", "handle sync.run.changed.v1")}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as started:
        yield started


@pytest.fixture(scope="module")
def traced(collector: Collector) -> Iterator[System]:
    with running("embedded", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_TRACES_SAMPLER_ARG="1") as system:
        yield system


@pytest.fixture(scope="module")
def trace_of_a_sync(traced: System, collector: Collector) -> list[Received]:
    """All spans of a run that finds changed patients, from the request that started it to the receipts of its end."""
    change = {"change": "update", "clinic": KEYS[HARBOUR], "count": 20, "values": {"notes": "changed"}}
    httpx.post(f"{traced.cliniko}/_control/changes", json=change).raise_for_status()
    answer = traced.call("POST", f"/api/v1/cliniko/sync/{HARBOUR}?mode=comprehensive", HARBOUR).raise_for_status()
    traced.until_completed(HARBOUR, answer.json()["sync_id"])
    trace_id = answer.headers["x-request-id"].replace("-", "")
    collector.until(lambda: _named(collector.trace(trace_id)) >= LAST | PAGE)
    seen = 0
    while seen < len(collector.trace(trace_id)):  # services send theirs once a second
        seen = len(collector.trace(trace_id))
        collector.until(lambda: _is_whole(collector.trace(trace_id)))
    return collector.trace(trace_id)


def test_a_sync_is_one_trace_from_the_trigger_to_both_consumers(trace_of_a_sync: list[Received]) -> None:
    (first,) = (span for span in trace_of_a_sync if not span.parent)
    assert (first.service, first.name) == ("gateway", "POST /api/v1/cliniko/{action}/{organization_id}/*")
    assert _named(trace_of_a_sync) >= {
        ("sync", "POST /api/v1/cliniko/sync/{organization_id}"),
        ("sync", "run comprehensive"),
        ("sync", "walk patients"),
        ("sync", "GET /patients"),
        ("sync", "land pages"),
        ("sync", "publish sync.run.changed.v1"),
        ("patients", "publish patients.batch.applied.v1"),
        ("analytics", "publish analytics.batch.applied.v1"),
        ("sync", "commit on_batch_applied"),
        ("sync", "publish sync.patients.synced.v1"),
        *PAGE,
        *LAST,
    }
    assert _is_whole(trace_of_a_sync)


def test_a_consumer_handles_a_page_below_the_message_that_brought_it(trace_of_a_sync: list[Received]) -> None:
    commits = [span for span in trace_of_a_sync if span.name.startswith("commit ")]
    by_id = {span.id: span for span in trace_of_a_sync}
    for commit in commits:
        assert len(commit.links) == commit.attributes["routiq.count"] - 1
        assert by_id[commit.parent].name.startswith("handle ")
        assert all(commit.id in by_id[link].links for link in commit.links)
    assert {commit.service for commit in commits} >= {"sync", "patients", "analytics"}


def test_spans_hold_names_of_ours_and_ids(trace_of_a_sync: list[Received], collector: Collector) -> None:
    assert {name for span in collector.spans for name in span.attributes} <= ATTRIBUTES
    handled = [span for span in trace_of_a_sync if span.name.startswith("handle ")]
    assert {span.attributes["routiq.organization_id"] for span in handled} == {HARBOUR}
    assert not [span.name for span in collector.spans if "?" in span.name or "://" in span.name]


def _named(spans: list[Received]) -> set[tuple[str, str]]:
    return {(span.service, span.name) for span in spans}


def _is_whole(spans: list[Received]) -> bool:
    """Every span's parent is there."""
    known = {span.id for span in spans}
    return all(span.parent in known or not span.parent for span in spans)
