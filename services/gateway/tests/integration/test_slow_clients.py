"""Clients that send or take slowly, or not at all: nobody holds a service, or the gateway's memory, for ever."""

import asyncio
import socket
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from services.gateway.tests.scripted import speaking

from gateway.entrypoints import upload

PATH = "/api/v1/patients/org_north/patients"
LARGE_FILE = "/docs/swagger-ui-bundle.js"
PIECE = b"x" * 65536
PATIENCE = 1.0
"""Of the gateway with a client that takes nothing."""


@asynccontextmanager
async def asked(gateway: httpx.AsyncClient, request: bytes) -> AsyncIterator[socket.socket]:
    """A connection on which this was sent, and nothing read; little fits into it."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (gateway.base_url.host, gateway.base_url.port))
        await loop.sock_sendall(client, request)
        yield client


async def taken(client: socket.socket, at_once: int = 1 << 20, pause: float = 0) -> int:
    """How many bytes still come until the connection ends, read so many at once with so long a pause between."""
    received = 0
    try:
        async with asyncio.timeout(20):
            while piece := await asyncio.get_running_loop().sock_recv(client, at_once):
                received += len(piece)
                await asyncio.sleep(pause)
    except ConnectionError:
        pass
    return received


def get(path: str, clerk: Any, last: bool = False) -> bytes:
    more = "connection: close\r\n" if last else ""
    return f"GET {path} HTTP/1.1\r\nhost: x\r\n{more}authorization: Bearer {clerk.token()}\r\n\r\n".encode()


async def test_a_client_that_takes_nothing_frees_the_service_after_a_while(start_gateway: Any, clerk: Any) -> None:
    gone, size = asyncio.Event(), 1 << 30

    async def pour(_reader: Reader, writer: Writer) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
            for _ in range(size // len(PIECE)):
                writer.write(PIECE)
                await writer.drain()
        finally:
            gone.set()

    async with speaking(pour) as address:
        gateway = await start_gateway(patients_url=address, client_timeout_seconds=PATIENCE)
        async with asked(gateway, get(PATH, clerk)) as client:
            async with asyncio.timeout(10 * PATIENCE):
                await gone.wait()
            assert await taken(client) < size / 10
        assert (await gateway.get("/api/v1/dashboard/org_north", headers=clerk.bearer())).status_code == 200


async def test_a_client_that_takes_nothing_of_our_own_answers_is_given_up(start_gateway: Any, clerk: Any) -> None:
    gateway = await start_gateway(client_timeout_seconds=PATIENCE)
    size, times = len((await gateway.get(LARGE_FILE)).content), 40
    assert size * times > 40_000_000, "more than the buffers on the way hold"
    requests = get(LARGE_FILE, clerk) * (times - 1) + get(LARGE_FILE, clerk, last=True)
    async with asked(gateway, requests) as client:
        await asyncio.sleep(5 * PATIENCE)
        assert await taken(client) < size * times


async def test_a_client_that_is_slow_gets_all_of_it(start_gateway: Any, clerk: Any) -> None:
    size = 4_000_000

    async def pour(_reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
        await writer.drain()

    async with speaking(pour) as address:
        gateway = await start_gateway(patients_url=address, client_timeout_seconds=PATIENCE)
        async with asked(gateway, get(PATH, clerk, last=True)) as client:
            assert await taken(client, at_once=1 << 17, pause=PATIENCE / 10) > size


@pytest.mark.parametrize(("size", "status"), [(1, 408), (1000, 200)])
async def test_a_body_must_come_at_some_rate(
    start_gateway: Any, clerk: Any, monkeypatch: pytest.MonkeyPatch, size: int, status: int
) -> None:
    monkeypatch.setattr(upload, "GRACE_SECONDS", 0.3)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * size
            await asyncio.sleep(0.05)

    gateway = await start_gateway(client_timeout_seconds=5)
    assert (await gateway.post(f"{PATH}?do=count", content=pieces(), headers=clerk.bearer())).status_code == status


async def test_a_client_that_waits_for_a_quiet_service_is_not_slow(start_gateway: Any, clerk: Any) -> None:
    events = [b"data: %d\n\n" % n for n in range(2)]

    async def seldom(_reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        for event in events:
            writer.write(event)
            await asyncio.sleep(2 * PATIENCE)

    async with speaking(seldom) as address:
        gateway = await start_gateway(
            patients_url=address, client_timeout_seconds=PATIENCE, service_timeout_seconds=10 * PATIENCE
        )
        assert (await gateway.get(PATH, headers=clerk.bearer())).content == b"".join(events)
