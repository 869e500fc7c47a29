import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest
import structlog
from opentelemetry.trace import Span, SpanKind
from prometheus_client import REGISTRY
from tests.collector import Collector, collecting

from chassis import exporting, tracing
from routiq.ports import free_port

RECORDED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNRECORDED = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
CANARY = "Canary Quicksilver"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    with collecting() as started:
        tracing.start("trial", started.url, 0.0)
        yield started
        await tracing.stop()


def spans(outcome: str) -> float:
    return REGISTRY.get_sample_value("routiq_spans_total", {"outcome": outcome}) or 0.0


def test_without_a_collector_nothing_of_the_sdk_is_imported_and_nothing_handed_on() -> None:
    script = (
        "import sys\n"
        "from chassis import tracing\n"
        "tracing.start('trial', None, 1.0)\n"
        f"with tracing.span('work', parent='{RECORDED}') as span:\n"
        "    span.note(status=200)\n"
        "    assert tracing.headers() == {}\n"
        "outside = ('opentelemetry.sdk', 'opentelemetry.exporter')\n"
        "assert not [name for name in sys.modules if name.startswith(outside)]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


async def test_a_recorded_trace_goes_on_and_an_unrecorded_one_stays_so(collector: Collector) -> None:
    for traceparent in (RECORDED, UNRECORDED):
        with tracing.goes_on("request", SpanKind.SERVER, traceparent):
            with tracing.span("work"):
                handed = tracing.traceparent() or ""
        assert (handed[:35], handed[-2:]) == (traceparent[:35], traceparent[-2:])
        assert handed != traceparent
    await tracing.stop()
    outer, inner = sorted(collector.spans, key=lambda span: span.parent != RECORDED[36:52])
    assert (outer.parent, inner.parent) == (RECORDED[36:52], outer.id)


async def test_what_came_with_no_trace_begins_none(collector: Collector) -> None:
    with tracing.goes_on("request", SpanKind.SERVER, None):
        assert tracing.headers() == {}


async def test_an_error_is_told_by_its_type_alone(collector: Collector) -> None:
    structlog.contextvars.clear_contextvars()  # tests before this one leave whose request it was
    with pytest.raises(ValueError, match=CANARY), tracing.span("work", parent=RECORDED):
        raise ValueError(CANARY)
    await tracing.stop()
    assert collector.spans[0].attributes == {"error.type": "ValueError"}
    assert CANARY not in collector.texts[0]


async def test_work_done_for_several_is_below_the_first_recorded_and_linked_with_the_others(
    collector: Collector,
) -> None:
    with ExitStack() as handled:
        members: list[Span] = []
        for traceparent in (UNRECORDED, RECORDED, RECORDED):
            span = handled.enter_context(tracing.goes_on("handle", SpanKind.CONSUMER, traceparent))
            members.append(span.recorded)
        with tracing.joint("commit", members):
            assert (tracing.traceparent() or "")[3:35] == RECORDED[3:35]
    await tracing.stop()
    first, last, commit = sorted(collector.spans, key=lambda span: (span.name == "commit", bool(span.links)))
    assert (commit.parent, commit.links, last.links, first.links) == (first.id, (last.id,), (commit.id,), ())
    assert commit.attributes["routiq.count"] == 3


async def test_spans_that_nobody_takes_are_counted_and_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_WAITING", 10)
    monkeypatch.setattr(exporting, "PATIENCE_SECONDS", 0.2)
    before = spans("dropped"), spans("failed")
    tracing.start("trial", f"http://127.0.0.1:{free_port()}", 1.0)
    for _ in range(25):
        with tracing.span("work", parent=RECORDED):
            pass
    await tracing.stop()
    dropped, failed = spans("dropped") - before[0], spans("failed") - before[1]
    assert (dropped, failed) == (15, 10)
