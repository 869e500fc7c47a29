"""The end of a gateway's life, so that a rolling restart loses no request."""

import asyncio
import socket

import uvicorn

LOOK_SECONDS = 0.05


class DrainingServer(uvicorn.Server):
    """Told to stop, it first says so, and goes on: who balances the load turns away, and clients reconnect elsewhere.

    For `seconds`, or until nobody is connected, it is not ready any more and each answer is the last on its
    connection. Only then uvicorn stops to listen, closes what is idle and finishes the requests under way.
    """

    def __init__(self, config: uvicorn.Config, seconds: float) -> None:
        super().__init__(config)
        self._seconds = seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        self.lifespan.state["draining"] = True
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        for _ in range(round(self._seconds / LOOK_SECONDS)):
            if self.force_exit or not self.server_state.connections:
                break
            await asyncio.sleep(LOOK_SECONDS)
        await super().shutdown(sockets)
