"""A service's connection from one request to the next."""

import asyncio
import socket
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer

from services.gateway.tests.scripted import OK, speaking

from gateway.adapters.connection import Request
from gateway.adapters.services import Service

REQUEST = Request("GET", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
PIECE = b"x" * 60_000


async def test_an_answer_that_came_before_the_connection_was_reset_is_the_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sent = 0

        async def body() -> tuple[bytes, bool]:
            """Before the second piece the service answers and closes, and nobody has had the time to notice."""
            nonlocal sent
            sent += 1
            if sent == 2:
                peer, _ = listening.accept()
                with peer:
                    peer.recv(10)
                    peer.sendall(OK)
            return PIECE, sent < 4

        service = Service("patients", f"http://127.0.0.1:{listening.getsockname()[1]}")
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (4 * len(PIECE))
        connection, response = await service.ask(Request("POST", head, body), patience=5)
        assert (response.status, await response.read(5)) == (200, (b"ok", False))
        service.release(connection)


async def test_what_nobody_read_of_an_answer_holds_no_other_one_back() -> None:
    async def answer(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (2 * len(PIECE)) + PIECE)
        await asyncio.sleep(0.05)
        writer.write(PIECE)
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK)

    async with speaking(answer) as address:
        service = Service("patients", address)
        connection, response = await service.ask(REQUEST, patience=5)
        async with asyncio.timeout(5):
            while not response.complete:
                await asyncio.sleep(0.01)
        service.release(connection)
        connection, response = await service.ask(REQUEST, patience=1)
        service.release(connection)
        assert response.status == 200
        service.close()
