"""The middleware around every request of a service."""

import time

import structlog
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import tracing
from chassis.answers import failure
from chassis.identity import REQUEST_ID, is_request_id
from chassis.metrics import METHODS, QUIET, REQUESTS, SECONDS, template

log = structlog.get_logger()


class Observed:
    """Outermost middleware: one answer, one line, one count and one span a request, whatever became of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An error that nobody answered is answered here; once an answer has begun, the connection is broken off."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        headers = Headers(scope=scope)
        if is_request_id(given := headers.get(REQUEST_ID, "")):
            structlog.contextvars.bind_contextvars(request_id=given)
        with tracing.goes_on("request", SpanKind.SERVER, headers.get(tracing.HEADER)) as span:
            await self._answer(scope, receive, send, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, span: tracing.Span) -> None:
        started, status, complete = time.perf_counter(), 0, False

        async def noting(message: Message) -> None:
            nonlocal status, complete
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                complete = not message.get("more_body", False)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:
            span.fail(type(error).__name__)
            if status:
                raise
            await failure(Request(scope), error)(scope, receive, noting)
        finally:
            _note(scope, status or 500, complete, time.perf_counter() - started, span)


def _note(scope: Scope, status: int, complete: bool, seconds: float, span: tracing.Span) -> None:
    route = template(scope)
    method = scope["method"] if scope["method"] in METHODS else "other"
    outcome = "complete" if complete else "cut short"
    REQUESTS.labels(route, method, status).inc()
    SECONDS.labels(route, method).observe(seconds)
    span.rename(f"{method} {route}")
    span.note(method=method, route=route, status=status, outcome=outcome)
    if not route.startswith(QUIET):
        milliseconds = round(seconds * 1000, 1)
        log.info("request", route=route, method=method, status=status, outcome=outcome, duration_ms=milliseconds)
