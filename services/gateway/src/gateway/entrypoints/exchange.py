"""One request and its answer: what was asked, what is known of it by now, and how to answer."""

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chassis.errors import BadRequest
from gateway.adapters.heads import Header
from gateway.domain import request_ids
from gateway.domain.limits import Quota, counted_as
from gateway.domain.organizations import Admitted
from gateway.domain.routing import NOWHERE, Route
from gateway.entrypoints.answer_head import compose
from gateway.entrypoints.framing import Target
from gateway.entrypoints.surroundings import Surroundings
from gateway.entrypoints.upload import Upload

if TYPE_CHECKING:
    from gateway.entrypoints.protocol import ClientConnection


class Exchange:
    """Made when a request's head is there, over when its answer is complete or given up."""

    def __init__(
        self,
        connection: "ClientConnection",
        method: str,
        target: Target,
        headers: list[Header],
        upload: Upload | None,
        around: Surroundings,
    ) -> None:
        self.connection, self.upload, self._around = connection, upload, around
        self.started_at = time.perf_counter()
        self.method, self.target, self.path = method, target.as_sent, target.path
        self.header_list, self.headers = headers, dict(headers)
        self.keep_alive = True
        """Another request may follow on the connection."""
        self.chunkable = True
        """The client understands an answer in chunks: it speaks HTTP/1.1."""
        self.origin = around.proxies.origin(connection.peer, connection.scheme, self.headers)
        self.service_seconds = 0.0
        """Spent waiting for a service's first byte."""
        self.answered_at = 0.0
        offered = self.headers.get(b"x-request-id")
        self.request_id = request_ids.accepted(offered) if offered else request_ids.made()
        self.traceparent = b""
        """Of the span this is; empty while nothing is traced."""
        self.route: Route = NOWHERE
        self.caller: Admitted | None = None
        self.quota: Quota | None = None
        self.status = 0
        """Of the answer, once it has started."""
        self.complete = False
        self._head = b""
        """What is to be written before the body, at the latest with its first piece."""
        self._chunked = False
        self._gone = False
        self._when_gone: Callable[[], None] | None = None

    @property
    def client(self) -> str:
        """Who asks, as far as an address tells: whose budget is spent when no token says more."""
        return counted_as(self.origin.client)

    @property
    def draining(self) -> bool:
        """The gateway was told to stop."""
        return "draining" in self.connection.state

    @property
    def asks_permission(self) -> bool:
        """A browser asks whether a page may make a request."""
        return self.method == "OPTIONS" and b"access-control-request-method" in self.headers

    @property
    def whole(self) -> bool:
        """All of the request is here."""
        return self.upload is None or self.upload.complete

    def header(self, name: bytes) -> str | None:
        """A request header as text. Raises BadRequest when it was sent more than once: which one would count?"""
        value = self.headers.get(name)
        if len(self.headers) < len(self.header_list) and [key for key, _ in self.header_list].count(name) > 1:
            raise BadRequest(f"Send the header {name.decode()} once.")
        return None if value is None else value.decode("latin-1")

    def lose_client(self) -> None:
        """Nobody is there any more to answer."""
        self._gone = True
        if self.upload:
            self.upload.cut()
        if self._when_gone:
            self._when_gone()

    def when_gone(self, callback: Callable[[], None] | None) -> None:
        """Have `callback` called should the client go away: at once if it has."""
        self._when_gone = callback
        if self._gone and callback:
            callback()

    def start(self, status: int, headers: list[Header]) -> None:
        """Begin the answer; its head leaves with the first piece of the body, or with `flush`."""
        self.status = status
        self.answered_at = time.perf_counter()
        around = self._around
        server = around.server_lines.of(self.connection.server.default_headers)
        bodiless = self.method == "HEAD" or status in (204, 304)
        framed = bodiless or b"content-length" in dict(headers)
        self._chunked = not framed and self.chunkable
        if around.server_lines.closing or not (framed or self._chunked) or (self.upload and self.upload.held_back):
            self.keep_alive = False
        self._head = compose(
            status,
            headers,
            common=(server, around.origins.lines(self.headers.get(b"origin"))),
            request_id=self.request_id,
            quota=self.quota,
            close=not self.keep_alive,
            chunked=self._chunked,
        )

    def flush(self) -> None:
        """Let the head leave by itself: the body may be long in coming."""
        self._write(b"")

    async def send(self, body: bytes, more: bool) -> None:
        """Pass a piece of the body on; waits for a client that reads slowly. Raises ClientTooSlow."""
        if self.method == "HEAD":
            body = b""
        elif self._chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = chunk if more else chunk + b"0\r\n\r\n"
        self._write(body)
        if self.connection.congested:
            await self.connection.drained(self._around.client_seconds)
        self.complete = not more and not self._gone

    async def answer(self, status: int, content: bytes, kind: bytes, *more: Header) -> None:
        """A whole answer at once."""
        self.start(status, [(b"content-type", kind), (b"content-length", b"%d" % len(content)), *more])
        await self.send(content, more=False)

    async def answer_json(self, status: int, content: Mapping[str, Any], *more: Header) -> None:
        """A whole answer in JSON."""
        await self.answer(status, json.dumps(content).encode(), b"application/json", *more)

    def _write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        if data and not self._gone:
            self.connection.write(data)
