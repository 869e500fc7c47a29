"""The services behind the gateway, each with its kept-alive connections."""

import asyncio
from collections import deque
from urllib.parse import urlsplit

from prometheus_client import Gauge

from chassis.errors import Unavailable
from gateway.adapters.breakers import breaker_for
from gateway.adapters.connection import Connection, Request
from gateway.adapters.response import Response, Unanswered
from gateway.domain.breaker import REFUSED
from gateway.domain.refusals import BadGateway, GatewayTimeout

CONNECT_SECONDS = 2.0
IDLE_SECONDS = 4.0
"""Below the 5 s after which the services' server closes an idle connection."""

CONNECTIONS = Gauge("routiq_gateway_service_connections", "Open connections to a service.", ["service"])


class Service:
    """One service, at `http://host:port`."""

    def __init__(self, name: str, url: str) -> None:
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname:
            raise ValueError(f"the {name} service's address is not http://host:port")
        self.name, self.host = name, address.netloc.encode()
        self._address = (address.hostname, address.port or 80)
        self._idle: deque[Connection] = deque()
        self._breaker = breaker_for(name)
        self._connected = CONNECTIONS.labels(name)
        self._connected.set(0)

    async def ask(self, request: Request, patience: float) -> tuple[Connection, Response]:
        """Put the request to the service; its answer's head has arrived. `release` the connection afterwards.

        Raises Unavailable when nobody listens there or nobody has answered of late, BadGateway, and GatewayTimeout
        after `patience` seconds without a byte. Any answer, an error too, shows the service alive.
        """
        first = await request.body() if request.body else (b"", False)
        ticket = self._breaker.begin()
        if ticket == REFUSED:
            raise Unavailable("A service needed for this answer has stopped answering. Try again shortly.")
        try:
            asked = await self._ask(request, first, patience)
        except (Unavailable, BadGateway, GatewayTimeout):
            self._breaker.failed(ticket)
            raise
        except BaseException:  # the client's doing
            self._breaker.abandoned(ticket)
            raise
        self._breaker.succeeded(ticket)
        return asked

    def release(self, connection: Connection) -> None:
        """The answer has been passed on, or given up."""
        if connection.finish():
            connection.idle_since = connection.loop.time()
            self._idle.append(connection)
            while self._idle[0].idle_since < connection.idle_since - IDLE_SECONDS:
                self._idle.popleft().close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    async def _ask(self, request: Request, first: tuple[bytes, bool], patience: float) -> tuple[Connection, Response]:
        """Once more when a service that is just stopping did not answer; what cannot be repeated gets a new connection,
        because an idle one may be closing."""
        connection = (self._take_idle() if request.repeatable else None) or await self._connect()
        try:
            return connection, await connection.ask(request, first, patience)
        except Unanswered:
            if not request.repeatable:
                raise
        connection = await self._connect()
        return connection, await connection.ask(request, first, patience)

    def _take_idle(self) -> Connection | None:
        """The connection used last, so that those not needed grow old."""
        while self._idle:
            connection = self._idle.pop()
            if connection.open and connection.idle_since > connection.loop.time() - IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self._connected), *self._address
                )
        except OSError:  # a timeout is one too
            raise Unavailable("A service needed for this answer is not reachable.") from None
        return connection
