"""A client's connection at its turning points, with handlers that a test tells what to do; the sockets are real."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from services.gateway.tests.wire import GET, statuses
from uvicorn.server import ServerState

from chassis.errors import NotFound
from gateway.domain.proxies import Proxies
from gateway.entrypoints.cors import Origins
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.protocol import PIPELINED, ClientConnection, Handler
from gateway.entrypoints.refusing import refuse
from gateway.entrypoints.surroundings import Surroundings

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
REQUEST = GET + b"\r\n"


class Door:
    """Connections that are answered so."""

    def __init__(self, handler: Handler, client_seconds: float) -> None:
        self.state = ServerState()
        around = Surroundings(Origins(()), Proxies(()), client_seconds)
        config = uvicorn.Config("", timeout_keep_alive=5)
        self.connect = lambda: ClientConnection(handler, around, config, self.state, {})

    def shutdown(self) -> None:
        for connection in list(self.state.connections):
            connection.shutdown()


@asynccontextmanager
async def connected(handler: Handler, client_seconds: float = 5) -> AsyncIterator[tuple[Door, Streams]]:
    door = Door(handler, client_seconds)
    async with await asyncio.get_running_loop().create_server(door.connect, "127.0.0.1", 0) as server:
        streams = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            async with asyncio.timeout(10):
                yield door, streams
        finally:
            streams[1].transport.abort()
            for connection in list(door.state.connections):
                connection.transport.abort()


async def answer(exchange: Exchange) -> None:
    await exchange.answer(200, b"ok", b"text/plain")


@pytest.fixture
async def mishaps() -> AsyncIterator[list[dict[str, Any]]]:
    """What nobody caught."""
    found: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: found.append(context))
    yield found
    loop.set_exception_handler(None)


async def test_a_client_that_is_ahead_by_many_requests_is_answered_some_and_then_asks_again() -> None:
    async with connected(answer) as (_door, (reader, writer)):
        writer.write(REQUEST * 20 * PIPELINED)
        assert PIPELINED <= len(statuses(await reader.read())) <= 2 * PIPELINED


async def test_a_request_that_has_begun_to_arrive_when_the_server_stops_is_answered() -> None:
    async with connected(answer) as (door, (reader, writer)):
        writer.write(REQUEST)
        await reader.readuntil(b"ok")
        writer.write(REQUEST[:10])
        await asyncio.sleep(0.05)
        door.shutdown()
        writer.write(REQUEST[10:])
        await reader.readuntil(b"ok")


async def test_an_answer_arrives_though_the_client_is_ahead_and_the_server_stops() -> None:
    async def last(exchange: Exchange) -> None:
        await asyncio.sleep(0.1)
        exchange.keep_alive = False
        await answer(exchange)

    for _ in range(5):
        async with connected(last) as (_door, (reader, writer)):
            for _ in range(4):
                writer.write(REQUEST)
                await asyncio.sleep(0.02)
            assert statuses(await reader.read()) == [200]


async def test_a_connection_given_up_by_the_server_may_still_be_ended_by_the_client(
    mishaps: list[dict[str, Any]],
) -> None:
    async with connected(answer) as (door, (reader, writer)):
        writer.write(REQUEST)
        await reader.readuntil(b"ok")
        for task in list(door.state.tasks):
            task.cancel()
        await reader.read()
    await asyncio.sleep(0.05)
    gc.collect()
    assert mishaps == []


async def test_a_client_that_does_not_take_a_refusal_is_given_up_without_a_word(mishaps: list[dict[str, Any]]) -> None:
    async def decline(exchange: Exchange) -> None:
        await refuse(exchange, NotFound("x" * 50_000_000))

    async with connected(decline, client_seconds=0.2) as (door, (_reader, writer)):
        writer.write(REQUEST)
        while not door.state.tasks:
            await asyncio.sleep(0.01)
        while door.state.tasks:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    gc.collect()
    assert mishaps == []


async def test_an_answer_is_complete_only_when_the_client_has_taken_it() -> None:
    exchanges: list[Exchange] = []

    async def pour(exchange: Exchange) -> None:
        exchanges.append(exchange)
        await exchange.answer(200, b"x" * 50_000_000, b"text/plain")

    async with connected(pour) as (_door, (reader, writer)):
        writer.write(REQUEST)
        await reader.readexactly(1000)
        writer.transport.abort()
        await asyncio.sleep(0.1)
    assert [exchange.complete for exchange in exchanges] == [False]


async def test_a_body_that_was_never_asked_for_ends_the_connection() -> None:
    """The client may leave it out, and what it sends next must not be taken for it."""
    held_back = GET + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(REQUEST)
    async with connected(answer) as (_door, (reader, writer)):
        writer.write(held_back + REQUEST)
        received = await reader.read()
        assert statuses(received) == [200]
        assert b"connection: close" in received
