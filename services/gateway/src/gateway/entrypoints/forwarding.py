"""A request's way to a service and the answer's way back, neither ever held whole."""

import time
from typing import NamedTuple

from chassis.errors import TooLarge
from chassis.identity import HEADER as IDENTITY
from gateway.adapters.connection import Body, Request
from gateway.adapters.heads import request_head, response_headers
from gateway.adapters.response import Response
from gateway.adapters.services import Service
from gateway.domain import traces
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.upload import Upload

_IDENTITY = IDENTITY.encode() + b": %b\r\n"
_OURS = b"%bx-request-id: %b\r\nx-forwarded-for: %b\r\nx-forwarded-proto: %b\r\nx-forwarded-host: %b\r\n%b"


class Bounds(NamedTuple):
    """What a request may cost."""

    body_bytes: int
    client_seconds: float
    """Between two pieces of a client's body."""
    service_seconds: float
    """Until a service's next byte, where the route says nothing else."""


async def forward(exchange: Exchange, service: Service, identity: bytes | None, bounds: Bounds) -> None:
    """Let `service` answer, told by the signed `identity` who asks; None: nobody knows.

    Raises Refusal until the answer has begun.
    """
    patience = exchange.route.patience or bounds.service_seconds
    request = _request(exchange, service, identity, bounds)
    asked_at = time.perf_counter()
    try:
        connection, response = await service.ask(request, patience)
    finally:
        exchange.service_seconds = time.perf_counter() - asked_at
    try:
        exchange.start(response.status, response_headers(response.status, response.headers))
        await _pass_on(exchange, response, patience)
    finally:
        exchange.when_gone(None)
        service.release(connection)


async def _pass_on(exchange: Exchange, response: Response, patience: float) -> None:
    more = True
    while more:
        if not response.readable:
            exchange.flush()
        body, more = await response.read(patience)
        await exchange.send(body, more)


def _request(exchange: Exchange, service: Service, identity: bytes | None, bounds: Bounds) -> Request:
    origin = exchange.origin
    ours = _OURS % (
        _IDENTITY % identity if identity else b"",
        exchange.request_id.encode(),
        origin.client.encode(),
        origin.scheme.encode(),
        origin.host,
        _trace(exchange),
    )
    head = request_head(exchange.method, exchange.target, service.host, exchange.header_list, ours)
    body = _body(exchange, exchange.upload, bounds) if exchange.upload else None
    chunked = b"transfer-encoding" in exchange.headers
    return Request(exchange.method, head, body, chunked, exchange.when_gone)


def _trace(exchange: Exchange) -> bytes:
    """The trace that is recorded, else the client's, else a new one."""
    offered = traces.begun(exchange.headers.get(b"traceparent"))
    handed = exchange.traceparent or offered or traces.made(exchange.request_id)
    state = exchange.headers.get(b"tracestate") if offered else None
    return b"traceparent: %b\r\n%b" % (handed, b"tracestate: %b\r\n" % state if state else b"")


def _body(exchange: Exchange, upload: Upload, bounds: Bounds) -> Body:
    """The client's body piece by piece. The connection has checked the framing."""
    limit = bounds.body_bytes
    too_large = TooLarge(f"The body may have {limit} bytes at most.")
    if int(exchange.headers.get(b"content-length", b"0")) > limit:
        raise too_large
    seen = 0

    async def read() -> tuple[bytes, bool]:
        nonlocal seen
        piece, more = await upload.read(bounds.client_seconds)
        seen += len(piece)
        if seen > limit:
            raise too_large
        return piece, more

    return read
