"""One client's connection: bytes become requests, and these are answered one after the other.

What is no acceptable request is refused here, in our envelope, before anybody is asked.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, cast

import httptools
import uvicorn
from prometheus_client import Counter
from uvicorn.server import ServerState

from chassis.errors import envelope
from gateway.adapters.heads import STATUS_LINES, Header
from gateway.domain.refusals import ClientTooSlow
from gateway.entrypoints.exchange import Exchange, Surroundings
from gateway.entrypoints.framing import HEAD_BYTES, Objection, examine, head_size, target_of
from gateway.entrypoints.upload import Upload

HEAD_SECONDS = 10.0
LINGER_SECONDS = 1.0
FLUSH_SECONDS = 15.0
FRAMING_PER_BYTE = 9
"""Bytes a client may send for one of its body: chunks of one byte each are poor, and allowed."""

REFUSED = Counter("routiq_gateway_malformed_total", "What was refused before it became a request.", ["status"])

_NOT_HTTP = Objection(400, "This is not an HTTP request.")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Handler = Callable[[Exchange], Awaitable[None]]


class ClientConnection(asyncio.Protocol):
    """Fed by the transport, and by httptools' callbacks (`on_…`); watched by the server through `look`."""

    def __init__(
        self,
        handler: Handler,
        around: Surroundings,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._handler, self._around = handler, around
        self._idle_seconds = config.timeout_keep_alive
        self.server, self.state = server_state, app_state
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        # What follows a request that ends the connection is not read; it must not spoil that request.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._url = b""
        self._headers: list[Header] = []
        self._in_head = False
        self._head_bytes = self._received = 0
        """At most what the head has so far: the pieces it came in may hold more."""
        self._requests_in_piece = 0
        self._framing_left = 0
        """What may still come with a body beside it: chunks' sizes and extensions, trailers."""
        self._deaf = False
        """What else the client sends is not read any more."""
        self._lost = False
        self._task: asyncio.Task[None] | None = None
        """Answers, from the first request on."""
        self._next: asyncio.Future[None] | None = None
        """What it waits for between two requests."""
        self._current: Exchange | None = None
        self._newest: Exchange | None = None
        """Whose body arrives, if it has one."""
        self._pipelined: deque[Exchange] = deque()
        self._reading_paused = False
        self._writable: asyncio.Event | None = None
        """None while the client takes what it gets."""
        self._wait(HEAD_SECONDS)
        self.peer, self.scheme = "unknown", "http"

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.peer = str(peer[0])
        self.server.connections.add(self)  # type: ignore[arg-type] # uvicorn names its own classes only

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.connections.discard(self)
        self._deaf = self._lost = True
        self._pipelined.clear()
        if self._current:
            self._current.lose_client()
        elif self._next:
            self._next.set_result(None)
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._received = len(data)
        self._head_bytes += self._received
        self._requests_in_piece = 0 if self._newest is None or self._newest.whole else 1
        try:
            self._parser.feed_data(data)
            if self._in_head and self._head_bytes > HEAD_BYTES:
                raise Objection(431, f"The request's head may have {HEAD_BYTES} bytes at most.")
            if self._requests_in_piece == 1 and self._newest and self._newest.upload:
                self._take_framing(len(data))
        except httptools.HttpParserUpgrade:  # not offered: the request is answered as if it had not asked
            self._deaf, cast(Exchange, self._newest).keep_alive = True, False
        except httptools.HttpParserError as error:
            self._refuse(error.__context__ if isinstance(error.__context__, Objection) else _NOT_HTTP)
        except Objection as objection:
            self._refuse(objection)

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        if self._writable:
            self._writable.set()
            self._writable = None

    # The parser's side

    def on_message_begin(self) -> None:
        self._requests_in_piece += 1
        self._in_head, self._head_bytes = True, self._received
        self._url, self._headers = b"", []
        if self._current is None:
            self._wait(HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._headers.append((name.lower(), value))
        else:  # a trailer goes nowhere, and nobody takes it for a header
            self._take_framing(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        self._in_head = False
        url, headers, parser = self._url, self._headers, self._parser
        if self._head_bytes > HEAD_BYTES and head_size(url, headers) > HEAD_BYTES:
            raise Objection(431, f"The request's head may have {HEAD_BYTES} bytes at most.")
        version = parser.get_http_version()
        framing = examine(version, headers)
        upload = Upload(self._balance, self._invite if framing.expects_continue else None) if framing.has_body else None
        exchange = Exchange(self, parser.get_method().decode(), target_of(url, headers), headers, upload, self._around)
        exchange.chunkable = version == "1.1"
        exchange.keep_alive = exchange.chunkable and parser.should_keep_alive()
        self._newest, self._headers = exchange, []
        if upload:
            self._framing_left = HEAD_BYTES + head_size(url, headers)
        if self._current is None:
            self._begin(exchange)
        else:
            self._pipelined.append(exchange)
            self._balance()

    def on_body(self, body: bytes) -> None:
        self._framing_left += len(body) * FRAMING_PER_BYTE
        exchange = self._newest
        if exchange and exchange.upload and not exchange.complete:
            exchange.upload.feed(body)
            self._balance()

    def on_message_complete(self) -> None:
        if self._newest and self._newest.upload:
            self._newest.upload.end()
            if self._current is None:
                self._wait(self._idle_seconds)

    # The exchange's side

    def write(self, data: bytes) -> None:
        """To the client, unless it has gone."""
        if not self.transport.is_closing():
            self.transport.write(data)

    @property
    def congested(self) -> bool:
        """The client does not take what it gets."""
        return self._writable is not None

    async def drained(self, patience: float) -> None:
        """Wait for a client that reads slowly. Raises ClientTooSlow when it takes nothing for `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                while self._writable:
                    await self._writable.wait()
        except TimeoutError:
            self.transport.abort()
            raise ClientTooSlow("The client stopped reading the answer.") from None

    # The server's side

    def look(self, now: float) -> None:
        """End what takes too long; called every now and then."""
        if now < self._due:
            return
        if self.transport.is_closing():
            self.transport.abort()
        elif self._in_head and not self._deaf:
            self._refuse(Objection(408, "The request did not come in time."))
        else:
            self._close()

    def shutdown(self) -> None:
        """The server stops: a connection that was never used may have its one request on the way."""
        if self._current and self._newest:
            self._newest.keep_alive = False
        elif self._task:
            self._close()
        else:
            self._wait(LINGER_SECONDS)

    # Its own

    def _begin(self, exchange: Exchange) -> None:
        self._current, self._due = exchange, inf
        if self._next:
            self._next.set_result(None)
        elif self._task is None:
            self._task = self._loop.create_task(self._serve())
            self.server.tasks.add(self._task)

    async def _serve(self) -> None:
        """Answer one exchange after the other, for as long as the connection lasts."""
        try:
            while self._current:
                await self._handler(self._current)
                self._answered(self._current)
                if self._current is None and not self._lost:
                    self._next = self._loop.create_future()
                    await self._next
                    self._next = None
        finally:
            self.server.tasks.discard(cast("asyncio.Task[None]", self._task))
            self.transport.close()

    def _answered(self, exchange: Exchange) -> None:
        """On to the next request, or the end of the connection."""
        self._current = None
        if exchange.upload:
            exchange.upload.abandon()
        if not exchange.complete:
            self._close()  # the client can tell that its answer was cut short
        elif not exchange.keep_alive:
            self._hang_up(lingering=self._deaf or not exchange.whole)
        elif self._pipelined:
            self._begin(self._pipelined.popleft())
            self._balance()
        else:
            self._wait(HEAD_SECONDS if self._in_head or not exchange.whole else self._idle_seconds)

    def _take_framing(self, size: int) -> None:
        self._framing_left -= size
        if self._framing_left < 0:
            raise Objection(431, "What frames the body is too large.")

    def _invite(self) -> None:
        self.write(_CONTINUE)

    def _balance(self) -> None:
        """Read as long as there is room for it."""
        upload = self._newest.upload if self._newest else None
        pause = bool(self._pipelined) or (upload is not None and upload.full)
        if pause != self._reading_paused and not self.transport.is_closing():
            self._reading_paused = pause
            (self.transport.pause_reading if pause else self.transport.resume_reading)()

    def _refuse(self, objection: Objection) -> None:
        """Say what is wrong and close: where the next request would start cannot be known."""
        self._deaf = True
        REFUSED.labels(objection.status).inc()
        broken = self._newest if self._newest and not self._newest.whole else None
        if broken and self._pipelined:
            self._pipelined.pop()
        if self._current and broken is not self._current:  # those before are whole, and get their answers first
            (self._pipelined or [self._current])[-1].keep_alive = False
            return
        if broken:  # whoever waits for the rest of it need not answer
            broken.lose_client()
        if broken is None or not broken.status:
            self._say(objection)
        self._hang_up(lingering=broken is None or not broken.complete)

    def _say(self, objection: Objection) -> None:
        body = json.dumps(envelope(objection.status, objection.detail, "")).encode()
        head = b"content-type: application/json\r\nconnection: close\r\nx-content-type-options: nosniff\r\n"
        self.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINES[objection.status], head, len(body), body))

    def _hang_up(self, *, lingering: bool) -> None:
        """Not at once while the client still sends: the connection would be reset, and our answer lost with it."""
        if lingering and not self.transport.is_closing():
            self._deaf = True
            self.transport.write_eof()
            self._wait(LINGER_SECONDS)
        else:
            self._close()

    def _close(self) -> None:
        """Once the client has taken what is left for it, for which it has a while."""
        self.transport.close()
        self._wait(FLUSH_SECONDS)

    def _wait(self, seconds: float) -> None:
        self._due = self._loop.time() + seconds
