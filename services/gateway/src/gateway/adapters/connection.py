"""One HTTP/1.1 connection to a service: one request at a time, streamed both ways."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, cast

from prometheus_client import Gauge

from chassis.errors import Refusal
from gateway.adapters.response import HIGH_WATER_BYTES, Response

Body = Callable[[], Awaitable[tuple[bytes, bool]]]
"""The next piece of a client's body, and whether more follows. Raises the Refusal that ends the request."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class Request(NamedTuple):
    """What a service is asked."""

    method: str
    head: bytes
    body: Body | None = None
    chunked: bool = False
    when_gone: Callable[[Callable[[], None]], None] | None = None
    """Told what to call should the client go away before it has all of the answer."""

    @property
    def repeatable(self) -> bool:
        """Asking twice does no more than asking once."""
        return self.body is None and self.method in _IDEMPOTENT


class Connection(asyncio.Protocol):
    """Used by one request, then by the next as long as both ends agree where one ends."""

    def __init__(self, connected: Gauge) -> None:
        self._connected = connected
        self.loop = asyncio.get_running_loop()
        self.idle_since = 0.0
        self._response: Response | None = None
        self._sending: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    async def ask(self, request: Request, first: tuple[bytes, bool], patience: float) -> Response:
        """Send the request, its body from the `first` piece on, and wait for the answer's head; without one, close."""
        piece, more = first
        response = self._response = self._answers
        response.begin(request.method)
        self._transport.write(request.head + _framed(piece, request.chunked, last=not more))
        if more and request.body:
            self._sending = asyncio.create_task(self._send(request.body, request.chunked, response))
        if request.when_gone:
            request.when_gone(response.lose_client)
        try:
            await response.head(patience)
        except BaseException:
            self.close()
            raise
        return response

    @property
    def sending(self) -> bool:
        """The request's body is still on its way."""
        return self._sending is not None and not self._sending.done()

    @property
    def open(self) -> bool:
        return not self._transport.is_closing()

    def finish(self) -> bool:
        """The request is over. True when the connection can serve another; else it is closed."""
        response, self._response = self._response, None
        if response and response.leaves_nothing and not self.sending and self.open:
            return True
        self.close()
        return False

    def close(self) -> None:
        """Give the connection up, whatever is under way."""
        if self._sending:
            self._sending.cancel()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._answers = Response(self._transport)
        self._connected.inc()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connected.dec()
        self._writable.set()
        if self._response:
            if exc:
                self._response.feed(self._unread())
            self._response.end(clean=exc is None)
        self._answers.close()

    def data_received(self, data: bytes) -> None:
        if self._response:
            self._response.feed(data)
        else:
            self._transport.abort()  # nobody asked

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _unread(self) -> bytes:
        """What arrived before a write failed: a service that refuses a body may answer and close without reading it."""
        with suppress(OSError):
            return os.read(self._transport.get_extra_info("socket").fileno(), HIGH_WATER_BYTES)
        return b""

    async def _send(self, body: Body, chunked: bool, response: Response) -> None:
        """Pass the body on as it comes, as fast as the service takes it."""
        more = True
        try:
            while more:
                await self._writable.wait()
                response.waits_for_client = True
                piece, more = await body()
                response.waits_for_client = False
                if not self.open:
                    return
                self._transport.write(_framed(piece, chunked, last=not more))
                response.keep_waiting()
        except Refusal as refusal:
            response.fail(refusal)


def _framed(piece: bytes, chunked: bool, last: bool) -> bytes:
    if not chunked:
        return piece
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    return chunk + b"0\r\n\r\n" if last else chunk
