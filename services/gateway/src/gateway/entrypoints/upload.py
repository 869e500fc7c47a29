"""A client's body as it arrives."""

import asyncio
from collections.abc import Callable

from chassis.errors import BadRequest
from gateway.domain.refusals import ClientTooSlow

HIGH_WATER_BYTES = 64 * 1024
"""What may wait here for a slow service before the client is made to wait."""


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

    @property
    def full(self) -> bool:
        """No more should come before something is read."""
        return self.waiting_bytes > HIGH_WATER_BYTES

    def feed(self, piece: bytes) -> None:
        """A piece has come."""
        if self._abandoned:
            return
        self._pieces.append(piece)
        self.waiting_bytes += len(piece)
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

        Raises ClientTooSlow after `patience` seconds without a byte, BadRequest when the client is gone.
        """
        if self._invite and not self._pieces and not self.complete:
            self._invite()
        self._invite = None
        try:
            while not self._pieces and not self.complete and not self._cut:
                self._arrived.clear()
                async with asyncio.timeout(patience):
                    await self._arrived.wait()
        except TimeoutError:
            raise ClientTooSlow("The rest of the body did not come in time.") from None
        if self._cut:
            raise BadRequest("The client went away.")
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting_bytes = 0
        self._taken()
        return piece, not self.complete
