"""What Prometheus scrapes."""

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

REQUESTS = Counter("routiq_http_requests_total", "Requests answered.", ["route", "method", "status"])
SECONDS = Histogram("routiq_http_request_seconds", "Time to answer.", ["route", "method"])
MESSAGES = Counter("routiq_messages_total", "Messages settled.", ["queue", "outcome"])
MESSAGE_SECONDS = Histogram("routiq_message_seconds", "Time to handle a message.", ["queue"])
PUBLISHED = Counter("routiq_outbox_published_total", "Events published and confirmed.")
UNPUBLISHED = Counter("routiq_outbox_failures_total", "Attempts to publish that were not confirmed.")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = ("/health", "/metrics")
"""Asked every few seconds by machines: counted, not logged."""


async def metrics(_request: Request) -> Response:
    """`GET /metrics` in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
