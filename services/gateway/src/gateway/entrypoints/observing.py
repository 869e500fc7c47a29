"""One log line and one count per request, by route template: a raw path may hold what must not be kept."""

import time

import structlog
from prometheus_client import Counter, Histogram

from chassis.metrics import METHODS, QUIET
from gateway.entrypoints.exchange import Exchange

log = structlog.get_logger()

REQUESTS = Counter("routiq_gateway_requests_total", "Requests answered.", ["route", "method", "status", "service"])
SECONDS = Histogram("routiq_gateway_request_seconds", "Time until the answer was complete.", ["route"])


def observe(exchange: Exchange) -> None:
    """Note a request that is over, whatever became of it."""
    seconds = time.perf_counter() - exchange.started_at
    route, caller = exchange.route, exchange.caller
    method = exchange.method if exchange.method in METHODS else "other"
    REQUESTS.labels(route.template, method, exchange.status, route.service).inc()
    SECONDS.labels(route.template).observe(seconds)
    if not route.template.startswith(QUIET):
        log.info(
            "request",
            request_id=exchange.request_id,
            organization_id=caller.organization_id if caller else None,
            route=route.template,
            method=method,
            status=exchange.status,
            outcome="complete" if exchange.complete else "cut short",
            duration_ms=round(seconds * 1000, 1),
        )
