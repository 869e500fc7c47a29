"""A client's body as it arrives."""

import asyncio
import time
from collections.abc import Callable

from chassis.errors import BadRequest
from gateway.domain.refusals import ClientTooSlow

HIGH_WATER_BYTES = 64 * 1024
"""What may wait here for a slow service before the client is made to wait."""

GRACE_SECONDS, LEAST_BYTES_PER_SECOND = 60.0, 4096
"""How long a client may be waited for in all, and what it must send in each second beyond: a megabyte in five minutes.
Else a byte now and then would hold a service's connection for hours."""


class Upload:
    """Fed by the client's connection, read piece by piece by whoever answers."""

    def __init__(self, taken: Callable[[], None], invite: Callable[[], None] | None) -> None:
        """`taken` is called when there is room again; `invite` asks a client to begin that waits to be asked."""
        self.complete = False
        self.waiting_bytes = 0
        self._taken, self._invite = taken, invite
        self._pieces: list[bytes] = []
        self._cut = self._abandoned = False
        self._arrived = asyncio.Event()
        self._bytes, self._waited_seconds = 0, 0.0

    @property
    def full(self) -> bool:
        """No more should come before something is read."""
        return self.waiting_bytes > HIGH_WATER_BYTES

    @property
    def held_back(self) -> bool:
        """The client waited to be asked for it, and was not: what comes next may be the body or another request."""
        return self._invite is not None

    def feed(self, piece: bytes) -> None:
        """A piece has come."""
        if self._abandoned:
            return
        self._pieces.append(piece)
        self.waiting_bytes += len(piece)
        self._bytes += len(piece)
        self._arrived.set()

    def end(self) -> None:
        """The body is whole."""
        self.complete = True
        self._arrived.set()

    def cut(self) -> None:
        """The rest will not come."""
        self._cut = not self.complete
        self._arrived.set()

    def abandon(self) -> None:
        """Nobody will read it: what still comes is dropped."""
        self._abandoned, self._invite = True, None
        self._pieces.clear()
        self.waiting_bytes = 0
        self._taken()

    async def read(self, patience: float) -> tuple[bytes, bool]:
        """What has come, at least something unless the body ends; and whether more follows.

        Raises ClientTooSlow after `patience` seconds without a byte or when it was waited for too long in all,
        BadRequest when the client is gone.
        """
        if self._invite and not self._pieces and not self.complete:
            self._invite()
        self._invite = None
        while not self._pieces and not self.complete and not self._cut:
            await self._arrival(patience)
        if self._cut:
            raise BadRequest("The client went away.")
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting_bytes = 0
        self._taken()
        return piece, not self.complete

    async def _arrival(self, patience: float) -> None:
        began = time.monotonic()
        left = GRACE_SECONDS + self._bytes / LEAST_BYTES_PER_SECOND - self._waited_seconds
        self._arrived.clear()
        try:
            async with asyncio.timeout(min(patience, left)):
                await self._arrived.wait()
        except TimeoutError:
            raise ClientTooSlow("The rest of the body did not come in time.") from None
        finally:
            self._waited_seconds += time.monotonic() - began
