"""Is it there? Each probe answers for one moment and never raises for what is merely not up yet."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg
import httpx

Probe = Callable[[], Awaitable[bool]]

AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"


async def http_answers(url: str) -> bool:
    """True for any 2xx."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        try:
            return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False


async def amqp_answers(host: str, port: int) -> bool:
    """True once a broker answers the protocol header with a method frame (Connection.Start)."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, port)
            with contextlib.closing(writer):
                writer.write(AMQP_GREETING)
                return await reader.read(1) == METHOD_FRAME
    except OSError:  # TimeoutError is one
        return False


async def port_listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def postgres_answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True
