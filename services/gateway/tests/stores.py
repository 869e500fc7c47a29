"""A private redis-server, which the tests stop as they like, and connections to it."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gateway.adapters.pipeline import StoreAway
from gateway.adapters.valkey import Address, Script, Valkey


class Server:
    """A redis-server of the test's own, in memory only."""

    def __init__(self, *options: str) -> None:
        self._options = options
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        port = () if "--tls-port" in self._options else ("--port", str(self.port))
        self._process = subprocess.Popen([*command, *port, *self._options], stdout=subprocess.DEVNULL)

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def command(self, *words: str) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            assert connection.recv(100) == b"+OK\r\n"


StartServer = Callable[..., Server]
"""`start_server("--option", …)`: a server that ends with the test."""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Valkey]:
    store = Valkey(Address.parse(url))
    task = asyncio.create_task(store.stay_connected())
    try:
        await until(lambda: answers(store))
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def answers(store: Valkey) -> bool:
    try:
        return bool(await store.run(Script(b"return 1"), b"key"))
    except StoreAway:
        return False
