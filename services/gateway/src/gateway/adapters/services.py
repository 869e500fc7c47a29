"""The services behind the gateway, each with its kept-alive connections."""

import asyncio
from urllib.parse import urlsplit

from chassis.errors import Unavailable
from gateway.adapters.connection import Connection, Request
from gateway.adapters.response import Response, Unanswered

CONNECT_SECONDS = 2.0
IDLE_SECONDS = 4.0
"""Below the 5 s after which the services' server closes an idle connection."""


class Service:
    """One service, at `http://host:port`, given up after `patience` seconds without a byte."""

    def __init__(self, name: str, url: str, patience: float) -> None:
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname:
            raise ValueError(f"the {name} service's address is not http://host:port")
        self.name, self.host, self.patience = name, address.netloc.encode(), patience
        self._address = (address.hostname, address.port or 80)
        self._idle: list[Connection] = []

    async def ask(self, request: Request) -> tuple[Connection, Response]:
        """Put the request to the service; its answer's head has arrived.

        Raises Unavailable when nobody listens there, BadGateway, GatewayTimeout. `release` the connection afterwards.
        """
        first = await request.body() if request.body else (b"", False)
        connection = self._take_idle() or await self._connect()
        try:
            return connection, await self._attempt(connection, request, first)
        except Unanswered:
            if not (connection.used and request.repeatable):
                raise
        connection = await self._connect()
        return connection, await self._attempt(connection, request, first)

    def release(self, connection: Connection) -> None:
        """The answer has been passed on, or given up."""
        if connection.finish():
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    async def _attempt(self, connection: Connection, request: Request, first: tuple[bytes, bool]) -> Response:
        try:
            return await connection.ask(request, first, self.patience)
        except BaseException:
            connection.close()
            raise

    def _take_idle(self) -> Connection | None:
        """The connection used last, so that those not needed grow old."""
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.open and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(Connection, *self._address)
        except OSError:  # a timeout is one too
            raise Unavailable("A service needed for this answer is not reachable.") from None
        return connection
