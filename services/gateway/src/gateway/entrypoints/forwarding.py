"""A request's way to a service and the answer's way back, neither ever held whole."""

import asyncio
import time
from typing import NamedTuple

from chassis.errors import BadRequest, TooLarge
from chassis.identity import HEADER as IDENTITY
from gateway.adapters.connection import Body, Connection, Request
from gateway.adapters.heads import Header, request_head, response_headers
from gateway.adapters.response import Response
from gateway.adapters.services import Service
from gateway.domain import traces
from gateway.domain.refusals import ClientTooSlow
from gateway.entrypoints.exchange import Exchange

_IDENTITY = IDENTITY.encode()


class Bounds(NamedTuple):
    """What a request may cost."""

    body_bytes: int
    client_seconds: float
    """Between two pieces of a client's body."""
    service_seconds: float
    """Until a service's next byte, where the route says nothing else."""


async def forward(exchange: Exchange, service: Service, identity: str, bounds: Bounds) -> None:
    """Let `service` answer, told by the signed `identity` who asks. Raises Refusal until the answer has begun."""
    patience = exchange.route.patience or bounds.service_seconds
    request = _request(exchange, service, identity, bounds)
    asked_at = time.perf_counter()
    try:
        connection, response = await service.ask(request, patience)
    finally:
        exchange.service_seconds = time.perf_counter() - asked_at
    try:
        await exchange.start(response.status, response_headers(response.status, response.headers))
        await _pass_on(exchange, connection, response, patience)
    finally:
        service.release(connection)


def _request(exchange: Exchange, service: Service, identity: str, bounds: Bounds) -> Request:
    scope = exchange.scope
    query = scope["query_string"]
    target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    ours = (
        (_IDENTITY, identity.encode()),
        (b"x-request-id", exchange.request_id.encode()),
        (b"x-forwarded-for", exchange.origin.client.encode()),
        (b"x-forwarded-proto", exchange.origin.scheme.encode()),
        (b"x-forwarded-host", exchange.origin.host),
        *_trace(exchange),
    )
    return Request(
        exchange.method,
        request_head(exchange.method, target, service.host, scope["headers"], ours),
        _body(exchange, bounds),
        chunked=b"transfer-encoding" in exchange.headers,
    )


def _trace(exchange: Exchange) -> tuple[Header, ...]:
    """The client's trace, else a new one."""
    offered = exchange.headers.get(b"traceparent")
    if not offered or not traces.valid(offered):
        return ((b"traceparent", traces.made(exchange.request_id)),)
    state = exchange.headers.get(b"tracestate")
    return ((b"traceparent", offered), (b"tracestate", state)) if state else ((b"traceparent", offered),)


def _body(exchange: Exchange, bounds: Bounds) -> Body | None:
    """The client's body piece by piece, None without one. The server has checked the framing."""
    if b"transfer-encoding" not in exchange.headers and exchange.headers.get(b"content-length", b"0") == b"0":
        return None
    limit = bounds.body_bytes
    too_large = TooLarge(f"The body may have {limit} bytes at most.")
    if int(exchange.headers.get(b"content-length", b"0")) > limit:
        raise too_large
    seen = 0

    async def read() -> tuple[bytes, bool]:
        nonlocal seen
        try:
            async with asyncio.timeout(bounds.client_seconds):
                message = await exchange.receive()
        except TimeoutError:
            raise ClientTooSlow("The rest of the body did not come in time.") from None
        if message["type"] == "http.disconnect":
            raise BadRequest("The client went away.")
        seen += len(message["body"])
        if seen > limit:
            raise too_large
        return message["body"], message["more_body"]

    return read


async def _pass_on(exchange: Exchange, connection: Connection, response: Response, patience: float) -> None:
    body, more = await response.read(patience)
    await exchange.send(body, more)
    if not more:
        return
    # While the body is on its way, its reader notices that the client has gone.
    watching = None if connection.sending else asyncio.create_task(_stop_when_gone(exchange, response))
    try:
        while more:
            body, more = await response.read(patience)
            await exchange.send(body, more)
    finally:
        if watching:
            watching.cancel()


async def _stop_when_gone(exchange: Exchange, response: Response) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        pass
    response.fail(BadRequest("The client went away."))
