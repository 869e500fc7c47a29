"""Spans on their way to a collector, by OTLP over HTTP: imported only where traces are recorded."""

import logging
import threading
from collections import deque
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import Counter

from chassis.tracing import named

log = structlog.get_logger()

MOST_WAITING, MOST_AT_ONCE = 4096, 512
"""Spans. What more comes while the collector is away is dropped and counted: nobody waits for it."""
PAUSE_SECONDS, PATIENCE_SECONDS, STOP_SECONDS = 1.0, 5.0, 2.0

SPANS = Counter("routiq_spans_total", "Spans that ended, by what became of them.", ["outcome"])
for _outcome in ("exported", "failed", "dropped"):  # shown before the first, so that a rate sees it
    SPANS.labels(_outcome)


class Exporting:
    """Records the spans of one service, and sends them from a thread of its own."""

    def __init__(self, service: str, endpoint: str, share: float) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a collector that is away is our own line
        exporter = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=PATIENCE_SECONDS)
        self._outgoing = Outgoing(exporter)
        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource.create({"service.name": service, "service.namespace": "routiq"}),
            shutdown_on_exit=False,
            id_generator=Ids(),
        )
        provider.add_span_processor(self._outgoing)
        self.tracer = provider.get_tracer("routiq")

    def stop(self) -> None:
        """Send what waits, for two seconds at most."""
        self._outgoing.shutdown()


class Ids(RandomIdGenerator):
    """A trace may be named after the request that began it, so that either finds the other."""

    def generate_trace_id(self) -> int:
        return named.get() or super().generate_trace_id()

    def is_trace_id_random(self) -> bool:
        """A UUID has six bits that are not."""
        return False


class Outgoing(SpanProcessor):
    """Ended spans that wait to be sent, a bounded number of them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._waiting: deque[ReadableSpan] = deque()
        self._stopping = threading.Event()
        self._away = False
        self._sender = threading.Thread(target=self._send, name="spans", daemon=True)
        self._sender.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Never waits."""
        if len(self._waiting) >= MOST_WAITING or self._stopping.is_set():
            SPANS.labels("dropped").inc()
        elif span.context and span.context.trace_flags.sampled:
            self._waiting.append(span)

    def shutdown(self) -> None:
        self._stopping.set()
        self._sender.join(STOP_SECONDS)
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 0) -> bool:
        """Nobody waits for what is not sent."""
        return True

    def _send(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            self._settle(batch, self._export(batch))

    def _export(self, batch: Sequence[ReadableSpan]) -> bool:
        try:
            return self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception:  # whatever it was, later spans may do better
            return False

    def _settle(self, batch: Sequence[ReadableSpan], sent: bool) -> None:
        SPANS.labels("exported" if sent else "failed").inc(len(batch))
        if self._away is sent:  # told once, not with every batch
            self._away = not sent
            log.warning("spans not taken", count=len(batch)) if self._away else log.info("spans taken again")
