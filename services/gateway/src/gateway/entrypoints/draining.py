"""The end of a gateway's life, so that a rolling restart loses no request."""

import asyncio
import os
import socket
from contextlib import suppress
from typing import cast

import uvicorn

from chassis.draining import drain
from gateway.entrypoints.protocol import ClientConnection

CLIENT_LOOK_SECONDS = 0.5
"""How late a connection may be ended whose time is up: one look at all of them is cheaper than a timer for each."""


class DrainingServer(uvicorn.Server):
    """Told to stop, it first says so, and goes on: who balances the load turns away, and clients reconnect elsewhere.

    For `seconds`, or until nobody is connected, it is not ready any more and each answer is the last on its
    connection. Only then it stops to listen; uvicorn closes what is idle and finishes the requests under way.
    """

    def __init__(self, config: uvicorn.Config, seconds: float) -> None:
        super().__init__(config)
        self._seconds = seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and watch over the connections."""
        await super().startup(sockets)
        self._watching = asyncio.create_task(self._watch())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        self.lifespan.state["draining"] = True
        await drain(self, self._seconds)
        await self._stop_listening()
        await super().shutdown(sockets)
        self._watching.cancel()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CLIENT_LOOK_SECONDS)
            now = loop.time()
            for connection in list(self.server_state.connections):
                cast(ClientConnection, connection).look(now)

    async def _stop_listening(self) -> None:
        """Take in who has connected by now: to close the socket over their heads would reset them."""
        listening = [
            socket.socket(fileno=os.dup(listener.fileno())) for server in self.servers for listener in server.sockets
        ]
        for server in self.servers:
            server.close()
        waiting = []
        for listener in listening:
            with listener, suppress(BlockingIOError):
                listener.setblocking(False)
                while True:
                    waiting.append(listener.accept()[0])
        for connection in waiting:
            connection.setblocking(False)
            await asyncio.get_running_loop().connect_accepted_socket(self._connection, connection)

    def _connection(self) -> asyncio.Protocol:
        make = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg] # as uvicorn itself does
