"""A service's answer as it arrives."""

import asyncio

import httptools

from chassis.errors import BadRequest, Refusal
from gateway.adapters.heads import Header
from gateway.domain.refusals import BadGateway, GatewayTimeout

HIGH_WATER_BYTES = 64 * 1024
"""What may wait here for a slow client before the service is made to wait."""
HEAD_BYTES, HEAD_LINES = 64 * 1024, 200
_BODILESS = (204, 304)


class Unanswered(BadGateway):
    """The connection ended before anything came: on a kept-alive one, the service had most likely closed it already."""


class Response:
    """Fed by the connection through httptools' callbacks (`on_…`), awaited by the proxy; then used for the next one."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._alive_at = self._patience = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self.begin("")

    def begin(self, method: str) -> None:
        """Expect the answer to a request."""
        self.status = 0
        self.headers: list[Header] = []
        self.started = self.complete = self.keep_alive = False
        self.waits_for_client = False
        """The service cannot answer yet: its request is not complete."""
        self._touched = self._interim = False
        self._head_bytes = 0
        """At most: the piece the head ends in may hold more."""
        self._to_head = method == "HEAD"
        self._chunks: list[bytes] = []
        self._waiting_bytes = 0
        self._ends_with_connection = True
        self._failure: Refusal | None = None

    @property
    def readable(self) -> bool:
        """`read` has something to give at once."""
        return bool(self._chunks) or self.complete

    @property
    def leaves_nothing(self) -> bool:
        """The connection can serve another request: all of the answer has come, and was read."""
        return self.complete and self.keep_alive and not self._chunks

    async def head(self, patience: float) -> None:
        """Wait until status and headers are there. Raises BadGateway, GatewayTimeout."""
        while not self.started:
            await self._arrival(patience)

    async def read(self, patience: float) -> tuple[bytes, bool]:
        """What has arrived of the body, at least something unless it ends; and whether more follows."""
        while not self._chunks and not self.complete:
            await self._arrival(patience)
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        if self._waiting_bytes > HIGH_WATER_BYTES and not self._transport.is_closing():
            self._transport.resume_reading()
        self._waiting_bytes = 0
        return body, not self.complete

    def keep_waiting(self) -> None:
        """Something moved: patience starts anew."""
        self._alive_at = self._loop.time()

    def feed(self, data: bytes) -> None:
        """Bytes from the service."""
        if not data:
            return
        self._touched = True
        if not self.started:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
            if not self.started and self._head_bytes > HEAD_BYTES:
                raise httptools.HttpParserError
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.keep_alive = False
            self.fail(BadGateway("A service gave an answer that could not be read."))

    def end(self, clean: bool) -> None:
        """The connection has ended: so does a body without a length, if `clean`; else the answer is cut short."""
        self.keep_alive = False
        if clean and self.started and self._ends_with_connection:
            self.complete = True
            self._wake()
        else:
            self.fail((BadGateway if self._touched else Unanswered)("A service broke off its answer."))

    def close(self) -> None:
        """There will be no other answer."""
        if self._timer:
            self._timer.cancel()

    def fail(self, failure: Refusal) -> None:
        """Whoever waits for more of this answer gets `failure`; what has arrived can still be read."""
        if not self.complete:
            self._failure = self._failure or failure
            self._wake()

    def lose_client(self) -> None:
        """Nobody waits for this answer any more."""
        self.fail(BadRequest("The client went away."))

    def on_message_begin(self) -> None:
        if self.complete:
            raise ValueError("an answer nobody asked for")  # ends the parsing, and with it the connection's use

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.started:
            return  # a trailer
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._ends_with_connection = False
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                raise ValueError("a coding that is not offered")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self._interim = True
            self.headers.clear()
            return
        if status >= 600 or len(self.headers) > HEAD_LINES or self._head_size() > HEAD_BYTES:
            raise ValueError("no head that can be passed on")
        self.status = status
        self.started = True
        self.keep_alive = self._parser.should_keep_alive()
        self.complete = self._to_head or status in _BODILESS
        if self._to_head:  # the parser waits for a body that does not come: it is not fit for another answer
            self._parser = httptools.HttpResponseParser(self)
        self._wake()

    def on_body(self, body: bytes) -> None:
        if self.complete:
            self.keep_alive = False
            return
        self._chunks.append(body)
        before, self._waiting_bytes = self._waiting_bytes, self._waiting_bytes + len(body)
        if before <= HIGH_WATER_BYTES < self._waiting_bytes and not self._transport.is_closing():
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            return
        self.complete = True
        self._wake()

    def _head_size(self) -> int:
        if self._head_bytes <= HEAD_BYTES:
            return self._head_bytes
        return sum(len(name) + len(value) for name, value in self.headers)

    def _arrival(self, patience: float) -> asyncio.Future[None]:
        """Of whatever comes next. Raises what this answer failed for."""
        if self._failure:
            raise self._failure
        waiter = self._waiter = self._loop.create_future()
        self._patience, self._alive_at = patience, self._loop.time()
        if self._timer is None or self._due > self._alive_at + patience:
            self._look_after(patience)
        return waiter

    def _look_after(self, seconds: float) -> None:
        """One timer serves many waits: it is moved when it rings too early, not with each of them."""
        if self._timer:
            self._timer.cancel()
        self._due = self._loop.time() + seconds
        self._timer = self._loop.call_at(self._due, self._lose_patience)

    def _lose_patience(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self.waits_for_client:
            self.keep_waiting()
        left = self._alive_at + self._patience - self._loop.time()
        if left > 0:
            self._look_after(left)
        else:
            self.fail(GatewayTimeout("A service took too long to answer."))

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
