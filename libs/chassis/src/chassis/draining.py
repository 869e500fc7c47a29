"""The end of a service's life, so that a rolling restart loses no request."""

import asyncio
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

LOOK_SECONDS = 0.05


class DrainingServer(uvicorn.Server):
    """Told to stop, it first says so, and goes on: who balances the load turns away, and clients reconnect elsewhere.

    For `seconds`, or until nobody is connected, it is not ready any more and each answer is the last on its connection.
    `app.state.stopping` says so at once: a stream would hold it up until the time for a graceful end has passed.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, seconds: float) -> None:
        super().__init__(config)
        self._app, self._seconds = app, seconds
        app.state.stopping = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._app.state.stopping = True
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        for _ in range(round(self._seconds / LOOK_SECONDS)):
            if self.force_exit or not self.server_state.connections:
                break
            await asyncio.sleep(LOOK_SECONDS)
        await super().shutdown(sockets)
