"""Traces: what a request or a run set off, through every service, as the W3C Trace Context has it.

Off by default, and then nothing is recorded, sent on or imported from the SDK. A span holds what `Attributes` names and
nothing else: no address with a query, no header, no statement, no text of an exception.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.typing import EventDict, WrappedLogger

if TYPE_CHECKING:
    from chassis.exporting import Exporting

HEADER = "traceparent"
LONGEST = 300
"""Characters of a value."""


class Attributes(TypedDict, total=False):
    """All that may be said of a span beside its name, which is made of templates and names of ours."""

    organization_id: str
    request_id: str
    sync_id: str
    method: str
    route: str
    host: str
    status: int
    queue: str
    outcome: str
    count: int


NAMES = {
    "organization_id": "routiq.organization_id",
    "request_id": "routiq.request_id",
    "sync_id": "routiq.sync_id",
    "method": "http.request.method",
    "route": "http.route",
    "host": "server.address",
    "status": "http.response.status_code",
    "queue": "messaging.destination.name",
    "outcome": "routiq.outcome",
    "count": "routiq.count",
}
BOUND = ("organization_id", "request_id", "sync_id")
"""What the log's context knows of the work at hand."""

named: ContextVar[int | None] = ContextVar("named", default=None)
"""The id that the next trace begun here is to have."""

_exporting: "Exporting | None" = None
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_propagator = TraceContextTextMapPropagator()


class Span:
    """Work that is under way."""

    def __init__(self, span: trace.Span) -> None:
        self.recorded = span

    def note(self, **attributes: Unpack[Attributes]) -> None:
        """Say more of it."""
        for name, value in attributes.items():
            if isinstance(value, int) or (isinstance(value, str) and len(value) <= LONGEST):
                self.recorded.set_attribute(NAMES[name], value)

    def rename(self, name: str) -> None:
        """Call it by what turned out only later."""
        self.recorded.update_name(name)

    def fail(self, kind: str) -> None:
        """It went wrong in this way: a type of exception, never its text."""
        self.recorded.set_attribute("error.type", kind)
        self.recorded.set_status(Status(StatusCode.ERROR))


_NOTHING: AbstractContextManager[Span] = nullcontext(Span(trace.INVALID_SPAN))


def start(service: str, endpoint: str | None, share: float) -> None:
    """Record this share of the traces that begin here, and all others' that are recorded, if there is an `endpoint`."""
    global _exporting
    if endpoint:
        from chassis.exporting import Exporting

        _exporting = Exporting(service, endpoint, share)


async def stop() -> None:
    """Send what waits, if somebody takes it within a moment."""
    global _exporting
    if _exporting:
        exporting, _exporting = _exporting, None
        await asyncio.to_thread(exporting.stop)


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str | None = None,
    trace_id: int | None = None,
    **attributes: Unpack[Attributes],
) -> AbstractContextManager[Span]:
    """Record what happens inside, below `parent` (a traceparent), or the span it happens in, or as a trace's first."""
    if _exporting is None:
        return _NOTHING
    named.set(trace_id)
    within = _propagator.extract({HEADER: parent}, Context()) if parent else None
    return _recorded(_exporting.tracer, name, kind, within, (), attributes)


def goes_on(name: str, kind: SpanKind, traceparent: object) -> AbstractContextManager[Span]:
    """A span of a trace that came with a request; nothing where none came: probes and scrapes begin none."""
    if _exporting is None or not isinstance(traceparent, str):
        return _NOTHING
    return span(name, kind, parent=traceparent)


def joint(name: str, members: Sequence[trace.Span]) -> AbstractContextManager[Span]:
    """Work done once for several spans: below the first that is recorded, linked with all the others both ways."""
    if _exporting is None:
        return _NOTHING
    return _joint(_exporting.tracer, name, members)


def here() -> trace.Span:
    """The span this happens in."""
    return trace.get_current_span()


def current() -> Span:
    """The span this happens in, to be told more of."""
    return Span(trace.get_current_span())


def traceparent() -> str | None:
    """What to hand on for others to go on with the trace; None outside of any."""
    if _exporting is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def headers() -> dict[str, str]:
    """The same for a message or a request."""
    text = traceparent()
    return {HEADER: text} if text else {}


def carried(headers: Mapping[str, object]) -> dict[str, str]:
    """A message's trace when the message is sent on as it is; what only looks like one may say anything."""
    text = headers.get(HEADER)
    return {HEADER: text} if isinstance(text, str) and _TRACEPARENT.fullmatch(text) else {}


def identified(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Name the trace in a line of the log."""
    if _exporting is not None:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            entry["trace_id"] = f"{context.trace_id:032x}"
    return entry


@contextmanager
def _recorded(
    tracer: Tracer, name: str, kind: SpanKind, within: Context | None, links: Sequence[Link], attributes: Attributes
) -> Iterator[Span]:
    opened = tracer.start_as_current_span(
        name, within, kind, links=links, record_exception=False, set_status_on_exception=False
    )
    with opened as recorded:
        one = Span(recorded)
        one.note(**attributes)
        try:
            yield one
        except Exception as error:
            one.fail(type(error).__name__)
            raise
        finally:
            if recorded.is_recording():
                one.note(**_bound())


def _bound() -> Attributes:
    context = structlog.contextvars.get_contextvars()
    return cast(Attributes, {name: context[name] for name in BOUND if context.get(name) is not None})


@contextmanager
def _joint(tracer: Tracer, name: str, members: Sequence[trace.Span]) -> Iterator[Span]:
    recorded = [member for member in members if member.get_span_context().trace_flags.sampled]
    first, *others = recorded or members[:1]
    links = [Link(other.get_span_context()) for other in others]
    with _recorded(tracer, name, SpanKind.INTERNAL, trace.set_span_in_context(first), links, {}) as one:
        one.note(count=len(members))
        for other in others:
            other.add_link(one.recorded.get_span_context())
        yield one
