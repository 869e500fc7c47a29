"""What Prometheus scrapes."""

import time

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

REQUESTS = Counter("routiq_http_requests_total", "Requests answered.", ["route", "method", "status"])
SECONDS = Histogram("routiq_http_request_seconds", "Time to answer.", ["route", "method"])
MESSAGES = Counter("routiq_messages_total", "Messages settled: handled, retried, dead, returned.", ["queue", "outcome"])
MESSAGE_SECONDS = Histogram("routiq_message_seconds", "Time to handle a message.", ["queue"])
PUBLISHED = Counter("routiq_outbox_published_total", "Events published and confirmed.")
UNPUBLISHED = Counter("routiq_outbox_failures_total", "Attempts to publish that were not confirmed.")
LOOP_TURNED = Gauge("routiq_loop_turned_timestamp_seconds", "When a background loop last went round.", ["loop"])
LOOP_PERIOD = Gauge("routiq_loop_period_seconds", "How long one round of it takes at most when all is well.", ["loop"])
LOOP_FAILURES = Counter("routiq_loop_failures_total", "Rounds that ended with an error.", ["loop"])

STARTING_SECONDS = 60.0
"""For so long the first round of a loop may take, as far as is known before it has told its period."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = ("/health", "/metrics")
"""Asked every few seconds by machines: counted, not logged."""


def turned(loop: str, period: float) -> None:
    """A background loop has gone round, and will again within `period` seconds unless it is stuck."""
    LOOP_TURNED.labels(loop).set(time.time())
    LOOP_PERIOD.labels(loop).set(period)


def begun(loop: str) -> None:
    """A background loop is started: should it never go round, that is seen too."""
    turned(loop, STARTING_SECONDS)


def template(scope: Scope) -> str:
    """The route's template with its router's prefix: FastAPI keeps the whole in its own context."""
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    whole = getattr(context, "path", None)
    return str(whole or getattr(scope.get("route"), "path_format", "unmatched"))


async def metrics(_request: Request) -> Response:
    """`GET /metrics` in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
