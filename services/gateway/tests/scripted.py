"""Servers that answer what a test tells them to, spoken on bare sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

IN_THE_BACKGROUND = (b"GET /health/ready ", b"GET /openapi.json ")
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

Script = list[bytes | None]
"""What a connection answers to each request in turn; None closes it."""
Scripted = Callable[..., Awaitable[tuple[str, list[int]]]]
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What happens on a connection once a request's head has come."""


@asynccontextmanager
async def scripted_servers() -> AsyncIterator[Scripted]:
    """`await start(script, …)`: the address of a server whose n-th connection follows the n-th script (then the last),
    and the requests each connection has seen."""
    async with AsyncExitStack() as servers:

        async def start(*scripts: Script) -> tuple[str, list[int]]:
            seen: list[int] = []

            async def follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                mine = len(seen)
                seen.append(0)
                for turn, reply in enumerate(scripts[min(mine, len(scripts) - 1)]):
                    if turn and not await _head(reader):
                        break
                    seen[mine] += 1
                    if reply is None:
                        break
                    writer.write(reply)

            return await servers.enter_async_context(speaking(follow)), seen

        yield start


@asynccontextmanager
async def speaking(conversation: Conversation) -> AsyncIterator[str]:
    """The address of a server that talks so on every connection, then closes it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await _head(reader)
        try:
            if head and not head.startswith(IN_THE_BACKGROUND):
                await conversation(reader, writer)
        except ConnectionError:
            pass  # who asked has gone
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _head(reader: asyncio.StreamReader) -> bytes:
    """A request's head; nothing when the connection ends."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
