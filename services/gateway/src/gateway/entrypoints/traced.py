"""A share of the requests, each the first span of what it sets off in the services."""

from random import random

from opentelemetry.trace import SpanKind

from chassis import tracing
from chassis.metrics import METHODS
from gateway.domain import routing, traces
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.protocol import Handler


class Traced:
    """Around the handler where traces are recorded; the others do without it.

    A client may name the trace its request belongs to, but what share is recorded is ours to say. Not by the trace's id
    either: one that is named after a request has bits that never change.
    """

    def __init__(self, handler: Handler, share: float) -> None:
        self._handler, self._share = handler, share

    async def __call__(self, exchange: Exchange) -> None:
        """Let the handler answer."""
        offered = traces.begun(exchange.headers.get(b"traceparent"))
        made = traces.made(exchange.request_id)
        if random() >= self._share or routing.match(exchange.path).route.quiet:  # noqa: S311 - no secret
            exchange.traceparent = traces.unrecorded(offered or made)
            await self._handler(exchange)
            return
        parent = traces.recorded(offered).decode() if offered else None
        with tracing.span("request", SpanKind.SERVER, parent=parent, trace_id=traces.id_of(made)) as span:
            exchange.traceparent = (tracing.traceparent() or "").encode()
            await self._handler(exchange)
            _tell(exchange, span)


def _tell(exchange: Exchange, span: tracing.Span) -> None:
    """What is known of it in the end, by its route: the address may hold what must not be kept."""
    method = exchange.method if exchange.method in METHODS else "other"
    span.rename(f"{method} {exchange.route.template}")
    outcome = "complete" if exchange.complete else "cut short"
    span.note(method=method, route=exchange.route.template, status=exchange.status, outcome=outcome)
    span.note(request_id=exchange.request_id)
    if exchange.caller:
        span.note(organization_id=exchange.caller.organization_id)
