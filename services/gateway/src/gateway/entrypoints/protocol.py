"""What reaches the gateway as a request at all: well framed, one host, a head of reasonable size that comes in time.

Everything else is refused here in our envelope. The parser is strict about framing (both lengths, bad chunks, folded
lines, bare line feeds, NUL); what it lets pass and a service might read differently is refused beside it.
"""

import asyncio
import json
import re
from typing import cast

import httptools
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis.errors import envelope
from gateway.adapters.heads import Header

HEAD_BYTES = 32 * 1024
HEAD_LINES = 100
HEAD_SECONDS = 10.0
LINGER_SECONDS = 1.0

REFUSED = Counter("routiq_gateway_malformed_total", "What was refused before it became a request.", ["status"])

_HOST = re.compile(rb"[A-Za-z0-9._~-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


class _Refused(Exception):
    """Ends the parsing."""


class StrictProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits to what a client may send before anybody is asked."""

    _in_head = False
    _head_bytes = _received = 0
    """At most what the head has so far: the pieces it came in may hold more."""
    _deaf = False
    """What else the client sends is not read any more."""
    _objection = (400, "This is not an HTTP request.")
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._lose_patience)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        self._received = len(data)
        self._head_bytes += self._received
        try:
            self.parser.feed_data(data)
            if self._in_head and self._head_bytes > HEAD_BYTES:
                self._object(431, f"The request's head may have {HEAD_BYTES} bytes at most.")
        except httptools.HttpParserUpgrade:  # not offered: the request is answered as if it had not asked
            self._deaf = True
            self.cycle.keep_alive = False
        except (httptools.HttpParserError, _Refused):
            self._refuse(*self._objection)
        if self._deadline is None and (self._in_head or self._idle):
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._lose_patience)

    def shutdown(self) -> None:
        """The server stops: a connection that was never used may have its one request on the way."""
        if self.cycle is None:
            self._in_time()
            self._deadline = self.loop.call_later(LINGER_SECONDS, self._lose_patience)
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = self._received

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._in_time()
        if len(self.headers) > HEAD_LINES:
            self._object(431, f"The request's head may have {HEAD_LINES} lines at most.")
        if self._head_bytes > HEAD_BYTES and _size(self.url, self.headers) > HEAD_BYTES:
            self._object(431, f"The request's head may have {HEAD_BYTES} bytes at most.")
        problem, framed = _examined(self.parser.get_http_version(), self.headers)
        if problem:
            self._object(400, problem)
        super().on_headers_complete()
        if framed:
            self.cycle.transport = cast(asyncio.Transport, _Lingering(self))
        self.headers = []  # trailers go here, and nobody takes them for headers

    @property
    def _idle(self) -> bool:
        """No request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def _object(self, status: int, detail: str) -> None:
        self._objection = (status, detail)
        raise _Refused

    def _refuse(self, status: int, detail: str) -> None:
        """Say what is wrong and close: where the next request would start cannot be known."""
        self._deaf = True
        REFUSED.labels(status).inc()
        if not self._idle and not self.cycle.more_body:
            self.cycle.keep_alive = False  # the request before is whole, and gets its answer first
        elif not self._idle and self.cycle.response_started:
            self.transport.close()
        else:
            if not self._idle:
                self.cycle.disconnected = True  # whoever was waiting for the rest of it need not answer
                self.cycle.message_event.set()
            body = json.dumps(envelope(status, detail, "")).encode()
            head = b"content-type: application/json\r\nconnection: close\r\nx-content-type-options: nosniff\r\n"
            self.transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINE[status], head, len(body), body))
            self.hang_up()

    def hang_up(self) -> None:
        """Not at once: while the client still sends, the connection would be reset and our answer with it."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self._deaf or self.cycle.more_body:
            self._deaf = True
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def _lose_patience(self) -> None:
        self._deadline = None
        if self._in_head:
            self._refuse(408, "The request did not come in time.")
        elif self._idle:
            self.transport.close()

    def _in_time(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


def _size(url: bytes, headers: list[Header]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def _examined(version: str, headers: list[Header]) -> tuple[str | None, bool]:
    """Why a head that could be parsed is not acceptable; and whether a body follows it."""
    host, hosts, framed = b"", 0, False
    for name, value in headers:
        if name == b"host":
            host, hosts = value, hosts + 1
        elif name == b"content-length":
            framed = True
        elif name == b"transfer-encoding":
            framed = True
            if value.lower() != b"chunked" or version != "1.1":
                return "The only transfer coding is chunked, in HTTP/1.1.", framed
    if version not in ("1.1", "1.0"):
        return "The protocol is HTTP/1.1.", framed
    if hosts > 1 or (hosts == 0 and version == "1.1") or (hosts and not _HOST.fullmatch(host)):
        return "The request must name one host.", framed
    return None, framed


class _Lingering:
    """The transport of a request with a body, whose answer may be complete before the body is."""

    def __init__(self, protocol: StrictProtocol) -> None:
        self._protocol = protocol
        self.write, self.is_closing = protocol.transport.write, protocol.transport.is_closing

    def close(self) -> None:
        """After the last answer on the connection."""
        self._protocol.hang_up()
