"""One log line and one count per request, by route template: a raw path may hold what must not be kept."""

import time
from typing import get_args

from chassis.metrics import METHODS
from contracts.events import RefusalReason
from gateway.adapters.measures import FINE_SECONDS, Counts, Durations
from gateway.adapters.request_log import RequestLog
from gateway.domain.limits import TIERS
from gateway.entrypoints.exchange import Exchange

REQUESTS = Counts("routiq_gateway_requests", "Requests answered.", "route method status service")
SECONDS = Durations("routiq_gateway_request_seconds", "Time until the answer was complete.", ("route",))
OWN_SECONDS = Durations(
    "routiq_gateway_own_seconds", "The gateway's own part of the time until an answer began.", (), FINE_SECONDS
)
SERVICE_SECONDS = Durations("routiq_gateway_service_seconds", "A service's time until its answer began.", ("service",))
LIMITED = Counts("routiq_gateway_rate_limited", "Requests over the limit.", "tier", [tier.name for tier in TIERS])
TURNED_AWAY = Counts(
    "routiq_gateway_turned_away", "Known people who were not let in.", "reason", get_args(RefusalReason)
)


def method_of(exchange: Exchange) -> str:
    """The request's method, unless the client made it up."""
    return exchange.method if exchange.method in METHODS else "other"


def observe(exchange: Exchange, log: RequestLog | None) -> None:
    """Note a request that is over, whatever became of it; `log` is None when nobody reads such lines."""
    seconds = time.perf_counter() - exchange.started_at
    route, caller = exchange.route, exchange.caller
    method = method_of(exchange)
    REQUESTS.inc(route.template, method, str(exchange.status), route.service)
    SECONDS.observe(seconds, route.template)
    if exchange.answered_at:
        OWN_SECONDS.observe(exchange.answered_at - exchange.started_at - exchange.service_seconds)
    if exchange.service_seconds:
        SERVICE_SECONDS.observe(exchange.service_seconds, route.service)
    if log and not route.quiet:
        log.note(
            exchange.request_id,
            caller.organization_id if caller else None,
            route.template,
            method,
            exchange.status,
            "complete" if exchange.complete else "cut short",
            seconds * 1000,
            exchange.traceparent[3:35].decode(),
        )
