"""Requests byte by byte, and whatever comes back."""

import asyncio
import re

import httpx

GET = b"GET / HTTP/1.1\r\nhost: x\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\n"
LAST = b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
"""Answered with 404, and then the connection ends."""


async def exchanged(gateway: httpx.AsyncClient, *pieces: bytes) -> bytes:
    """All that comes back until the gateway closes the connection."""
    reader, writer = await asyncio.open_connection(gateway.base_url.host, gateway.base_url.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


def statuses(answers: bytes) -> list[int]:
    """Of all answers, interim ones too."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answers)]
