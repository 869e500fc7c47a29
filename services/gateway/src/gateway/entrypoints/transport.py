"""A client's connection, whatever is asked on it: how it is written to, how long it may take, how it ends."""

import asyncio
from math import inf
from typing import cast

from gateway.domain.refusals import ClientTooSlow

LINGER_SECONDS = 1.0
FLUSH_SECONDS = 15.0


class ClientTransport(asyncio.Protocol):
    """Its time is up at `_due`; whoever looks then ends it."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.peer, self.scheme = "unknown", "http"
        self._due = inf
        self._reading = True
        self._writable: asyncio.Event | None = None
        """None while the client takes what it gets."""
        self._deaf = False
        """What else the client sends is not read any more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.peer = str(peer[0])

    def connection_lost(self, exc: Exception | None) -> None:
        self._deaf = True
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        if self._writable:
            self._writable.set()
            self._writable = None

    def write(self, data: bytes) -> None:
        """To the client, unless it has gone."""
        if not self.transport.is_closing():
            self.transport.write(data)

    @property
    def congested(self) -> bool:
        """The client does not take what it gets."""
        return self._writable is not None

    async def drained(self, patience: float) -> None:
        """Wait for a client that reads slowly. Raises ClientTooSlow unless most is taken within `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                while self._writable:
                    await self._writable.wait()
        except TimeoutError:
            self.transport.abort()
            raise ClientTooSlow("The client stopped reading the answer.") from None

    def _read(self, wanted: bool) -> None:
        if wanted != self._reading and not self.transport.is_closing():
            self._reading = wanted
            (self.transport.resume_reading if wanted else self.transport.pause_reading)()

    def _wait(self, seconds: float) -> None:
        self._due = self._loop.time() + seconds

    def _hang_up(self, *, lingering: bool) -> None:
        """Not at once while the client still sends: the connection would be reset, and our answer lost with it."""
        if lingering and not self.transport.is_closing():
            self._deaf = True
            self._read(True)
            self.transport.write_eof()
            self._wait(LINGER_SECONDS)
        else:
            self._close()

    def _close(self) -> None:
        """Once the client has taken what is left for it, for which it has a while."""
        self.transport.close()
        self._wait(FLUSH_SECONDS)
