"""The middleware around every request of a service."""

import time

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.answers import failure
from chassis.metrics import METHODS, QUIET, REQUESTS, SECONDS, template

log = structlog.get_logger()


class Observed:
    """Outermost middleware: one answer, one line in the log and one count a request, whatever became of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An error that nobody answered is answered here; once an answer has begun, the connection is broken off."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        started, status = time.perf_counter(), 0

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting_status)
        except Exception as error:
            if status:
                raise
            await failure(Request(scope), error)(scope, receive, noting_status)
        finally:
            _note(scope, status or 500, time.perf_counter() - started)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = template(scope)
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(route, method, status).inc()
    SECONDS.labels(route, method).observe(seconds)
    if not route.startswith(QUIET):
        log.info("request", route=route, method=method, status=status, duration_ms=round(seconds * 1000, 1))
