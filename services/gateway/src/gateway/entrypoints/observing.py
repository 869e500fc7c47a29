"""One log line and one count per request, by route template: a raw path may hold what must not be kept."""

import time
from functools import lru_cache

import structlog
from prometheus_client import Counter, Histogram

from chassis.metrics import METHODS, QUIET
from gateway.entrypoints.exchange import Exchange

log = structlog.get_logger()

REQUESTS = Counter("routiq_gateway_requests_total", "Requests answered.", ["route", "method", "status", "service"])
SECONDS = Histogram("routiq_gateway_request_seconds", "Time until the answer was complete.", ["route"])
OWN_SECONDS = Histogram(
    "routiq_gateway_own_seconds",
    "The gateway's own part of the time until an answer began.",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
SERVICE_SECONDS = Histogram("routiq_gateway_service_seconds", "A service's time until its answer began.", ["service"])
LIMITED = Counter("routiq_gateway_rate_limited_total", "Requests over the limit.", ["tier"])

_of_service = lru_cache(SERVICE_SECONDS.labels)


@lru_cache(maxsize=4096)
def _of_route(template: str, method: str, status: int, service: str) -> tuple[Counter, Histogram]:
    """Found once: looking labels up costs more than counting."""
    return REQUESTS.labels(template, method, status, service), SECONDS.labels(template)


def observe(exchange: Exchange) -> None:
    """Note a request that is over, whatever became of it."""
    seconds = time.perf_counter() - exchange.started_at
    route, caller = exchange.route, exchange.caller
    method = exchange.method if exchange.method in METHODS else "other"
    requests, took = _of_route(route.template, method, exchange.status, route.service)
    requests.inc()
    took.observe(seconds)
    if exchange.answered_at:
        OWN_SECONDS.observe(exchange.answered_at - exchange.started_at - exchange.service_seconds)
    if exchange.service_seconds:
        _of_service(route.service).observe(exchange.service_seconds)
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
