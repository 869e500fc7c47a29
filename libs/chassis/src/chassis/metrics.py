"""What Prometheus scrapes, and the middleware that counts and logs every request once."""

import time

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

REQUESTS = Counter("routiq_http_requests_total", "Requests answered.", ["route", "method", "status"])
SECONDS = Histogram("routiq_http_request_seconds", "Time to answer.", ["route", "method"])
MESSAGES = Counter("routiq_messages_total", "Messages settled.", ["queue", "outcome"])
MESSAGE_SECONDS = Histogram("routiq_message_seconds", "Time to handle a message.", ["queue"])
PUBLISHED = Counter("routiq_outbox_published_total", "Events published and confirmed.")
UNPUBLISHED = Counter("routiq_outbox_failures_total", "Attempts to publish that were not confirmed.")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = ("/health", "/metrics")
"""Asked every few seconds by machines: counted, not logged."""


class Observed:
    """Outermost middleware: a request id in every log line, one line and one count a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count when the response is complete, whatever became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        started, status = time.perf_counter(), 500

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting_status)
        finally:
            _note(scope, status, time.perf_counter() - started)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = template(scope)
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(route, method, status).inc()
    SECONDS.labels(route, method).observe(seconds)
    if not route.startswith(QUIET):
        log.info("request", route=route, method=method, status=status, duration_ms=round(seconds * 1000, 1))


def template(scope: Scope) -> str:
    """The route's template with its router's prefix: FastAPI keeps the whole in its own context."""
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    whole = getattr(context, "path", None)
    return str(whole or getattr(scope.get("route"), "path_format", "unmatched"))


async def metrics(_request: Request) -> Response:
    """`GET /metrics` in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
