"""A client's bytes become requests, or an Objection."""

from typing import TYPE_CHECKING

import httptools

from gateway.adapters.heads import Header
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.framing import HEAD_BYTES, Objection, examine, head_size, target_of
from gateway.entrypoints.surroundings import Surroundings
from gateway.entrypoints.upload import Upload

if TYPE_CHECKING:
    from gateway.entrypoints.protocol import ClientConnection

FRAMING_PER_BYTE = 9
"""Bytes a client may send for one of its body: chunks of one byte each are poor, and allowed."""

_NOT_HTTP = Objection(400, "This is not an HTTP request.")
_HEAD_TOO_LARGE = Objection(431, f"The request's head may have {HEAD_BYTES} bytes at most.")
_FRAMING_TOO_LARGE = Objection(431, "What frames the body is too large.")


class RequestParser:
    """Fed by the connection; httptools calls what is named `on_…`."""

    def __init__(self, connection: "ClientConnection", around: Surroundings) -> None:
        self._connection, self._around = connection, around
        self._parser = httptools.HttpRequestParser(self)
        # What follows a request that ends the connection is not read; it must not spoil that request.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.newest: Exchange | None = None
        """Whose body arrives, if it has one."""
        self.in_head = False
        self._url = b""
        self._headers: list[Header] = []
        self._head_bytes = self._received = 0
        """At most what the head has so far: the pieces it came in may hold more."""
        self._requests_in_piece = 0
        self._framing_left = 0
        """What may still come with a body beside it: chunks' sizes and extensions, trailers."""

    @property
    def within_request(self) -> bool:
        """More of the newest request has to come."""
        return self.in_head or (self.newest is not None and not self.newest.whole)

    def feed(self, data: bytes) -> None:
        """Bytes from the client. Raises Objection, or HttpParserUpgrade after a request for another protocol."""
        self._received = len(data)
        self._head_bytes += self._received
        self._requests_in_piece = 0 if self.newest is None or self.newest.whole else 1
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ if isinstance(error.__context__, Objection) else _NOT_HTTP from None
        except httptools.HttpParserUpgrade:
            raise
        except httptools.HttpParserError:
            raise _NOT_HTTP from None
        if self.in_head and self._head_bytes > HEAD_BYTES:
            raise _HEAD_TOO_LARGE
        if self._requests_in_piece == 1 and self.newest and self.newest.upload:
            self._take_framing(self._received)

    def on_message_begin(self) -> None:
        self._requests_in_piece += 1
        self.in_head, self._head_bytes = True, self._received
        self._url, self._headers = b"", []
        self._connection.expect()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head:
            self._headers.append((name.lower(), value))
        else:  # a trailer goes nowhere, and nobody takes it for a header
            self._take_framing(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        self.in_head = False
        url, headers, parser = self._url, self._headers, self._parser
        if self._head_bytes > HEAD_BYTES and head_size(url, headers) > HEAD_BYTES:
            raise _HEAD_TOO_LARGE
        version = parser.get_http_version()
        framing = examine(version, headers)
        upload = None
        if framing.has_body:
            upload = Upload(self._connection.balance, self._connection.invite if framing.expects_continue else None)
            self._framing_left = HEAD_BYTES + head_size(url, headers)
        exchange = Exchange(
            self._connection, parser.get_method().decode(), target_of(url, headers), headers, upload, self._around
        )
        exchange.chunkable = version == "1.1"
        exchange.keep_alive = exchange.chunkable and parser.should_keep_alive()
        self.newest, self._headers = exchange, []
        self._connection.take(exchange)

    def on_body(self, body: bytes) -> None:
        self._framing_left += len(body) * FRAMING_PER_BYTE
        if self.newest and self.newest.upload:
            self.newest.upload.feed(body)
            self._connection.balance()

    def on_message_complete(self) -> None:
        if self.newest and self.newest.upload:
            self.newest.upload.end()
            self._connection.expect()

    def _take_framing(self, size: int) -> None:
        self._framing_left -= size
        if self._framing_left < 0:
            raise _FRAMING_TOO_LARGE
