"""One client's connection: its requests are answered one after the other.

What is no acceptable request is refused here, in our envelope, before anybody is asked.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.server import ServerState

from gateway.adapters.measures import Counts
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.framing import Objection
from gateway.entrypoints.parsing import RequestParser
from gateway.entrypoints.refusing import objected
from gateway.entrypoints.surroundings import Surroundings
from gateway.entrypoints.transport import LINGER_SECONDS, ClientTransport

HEAD_SECONDS = 10.0
PIPELINED = 64
"""Requests that may wait for those before them: a small one takes a hundred times its size here."""

REFUSED = Counts(
    "routiq_gateway_malformed", "What was refused before it became a request.", "status", ("400", "408", "429", "431")
)

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Handler = Callable[[Exchange], Awaitable[None]]


class ClientConnection(ClientTransport):
    """Made by the server for each connection, and told by it to `look` at the time and to `shutdown`."""

    def __init__(
        self,
        handler: Handler,
        around: Surroundings,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__()
        self._handler = handler
        self._idle_seconds = config.timeout_keep_alive
        self.server, self.state = server_state, app_state
        self._parser = RequestParser(self, around)
        self._lost = False
        self._task: asyncio.Task[None] | None = None
        """Answers, from the first request on."""
        self._next: asyncio.Future[None] | None = None
        """What it waits for between two requests."""
        self._current: Exchange | None = None
        self._pipelined: deque[Exchange] = deque()
        self._wait(HEAD_SECONDS)

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.server.connections.add(self)  # type: ignore[arg-type] # uvicorn names its own classes only

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.connections.discard(self)
        self._lost = True
        self._pipelined.clear()
        if self._current:
            self._current.lose_client()
        elif self._next and not self._next.done():
            self._next.set_result(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        try:
            self._parser.feed(data)
        except httptools.HttpParserUpgrade:  # not offered: the request is answered as if it had not asked
            self._deaf, cast(Exchange, self._parser.newest).keep_alive = True, False
        except Objection as objection:
            self._refuse(objection)

    # The parser's side

    def expect(self) -> None:
        """A request begins to arrive, or is whole."""
        if self._current is None:
            self._wait(HEAD_SECONDS if self._parser.within_request else self._idle_seconds)

    def take(self, exchange: Exchange) -> None:
        """A request's head has arrived."""
        if self._current is None:
            self._begin(exchange)
        else:
            self._pipelined.append(exchange)
            self.balance()
            if len(self._pipelined) > PIPELINED:
                raise Objection(429, "Wait for answers before sending more requests.")

    def invite(self) -> None:
        """Ask for a body that the client holds back."""
        self.write(_CONTINUE)

    def balance(self) -> None:
        """Read as long as there is room for it."""
        upload = self._parser.newest.upload if self._parser.newest else None
        self._read(not self._pipelined and (upload is None or not upload.full))

    # The server's side

    def look(self, now: float) -> None:
        """End what takes too long; called every now and then."""
        if now < self._due:
            return
        if self.transport.is_closing():
            self.transport.abort()
        elif self._parser.in_head and not self._deaf:
            self._refuse(Objection(408, "The request did not come in time."))
        else:
            self._close()

    def shutdown(self) -> None:
        """The server stops: what has begun is finished, and a new connection may have its one request on the way."""
        if self._current and self._parser.newest:
            self._parser.newest.keep_alive = False
        elif self._task is None or self._parser.within_request:
            self._wait(LINGER_SECONDS)
        elif not self._deaf:  # else its end has begun
            self._close()

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
            self._hang_up(lingering=self._deaf or not exchange.whole or bool(self._pipelined))
        elif self._pipelined:
            self._begin(self._pipelined.popleft())
            self.balance()
        else:
            self.expect()

    def _refuse(self, objection: Objection) -> None:
        """Say what is wrong and close: where the next request would start cannot be known."""
        self._deaf = True
        REFUSED.inc(str(objection.status))
        newest = self._parser.newest
        broken = newest if newest and not newest.whole else None
        if broken and self._pipelined:
            self._pipelined.pop()
        if self._current and broken is not self._current:  # those before are whole, and get their answers first
            (self._pipelined or [self._current])[-1].keep_alive = False
            return
        if broken:  # whoever waits for the rest of it need not answer
            broken.lose_client()
        if broken is None or not broken.status:
            self.write(objected(objection))
        self._hang_up(lingering=broken is None or not broken.complete)
