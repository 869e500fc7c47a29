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
        await drain(self, self._seconds)
        await super().shutdown(sockets)


async def drain(server: uvicorn.Server, seconds: float) -> None:
    """Each answer is the last on its connection; return when nobody is connected any more, or the time is up."""
    server.server_state.default_headers = [*server.server_state.default_headers, (b"connection", b"close")]
    for _ in range(round(seconds / LOOK_SECONDS)):
        if server.force_exit or not server.server_state.connections:
            return
        await asyncio.sleep(LOOK_SECONDS)
