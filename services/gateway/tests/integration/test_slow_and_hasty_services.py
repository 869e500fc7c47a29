"""Services that are slow, stop in the middle, or answer before they were asked to the end."""

import asyncio
import os
import signal
import sys
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from services.gateway.tests.scripted import OK, Conversation, speaking

PATH = "/api/v1/patients/org_north/patients"
OTHER = "/api/v1/dashboard/org_north"
PATIENCE = 0.4
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"
BODY = b"x" * 1_000_000
REFUSED = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"


async def hang(_reader: Reader, _writer: Writer) -> None:
    await asyncio.sleep(4 * PATIENCE)


async def head_byte_by_byte(_reader: Reader, writer: Writer) -> None:
    for byte in OK:
        writer.write(bytes([byte]))
        await asyncio.sleep(PATIENCE / 4)


async def promise_for_ever(_reader: Reader, writer: Writer) -> None:
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(PATIENCE / 10)


async def begin_and_hang(_reader: Reader, writer: Writer) -> None:
    writer.write(HEAD + b"half")
    await asyncio.sleep(4 * PATIENCE)


async def begin_and_break_off(_reader: Reader, writer: Writer) -> None:
    writer.write(HEAD + b"half")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()


@pytest.mark.parametrize("conversation", [hang, head_byte_by_byte, promise_for_ever])
async def test_who_has_not_begun_to_answer_in_time_is_given_up(
    start_gateway: Any, clerk: Any, conversation: Conversation
) -> None:
    async with speaking(conversation) as address:
        gateway = await start_gateway(patients_url=address, service_timeout_seconds=PATIENCE)
        answer = await gateway.get(PATH, headers=clerk.bearer())
        assert (answer.status_code, answer.json()["error"]) == (504, "Gateway timeout")
        assert (await gateway.get(OTHER, headers=clerk.bearer())).status_code == 200


async def test_a_slow_body_passes_as_long_as_it_moves(start_gateway: Any, clerk: Any) -> None:
    async def piece_by_piece(_reader: Reader, writer: Writer) -> None:
        writer.write(HEAD)
        for _ in range(10):
            await asyncio.sleep(PATIENCE / 4)
            writer.write(b"x")

    async with speaking(piece_by_piece) as address:
        gateway = await start_gateway(patients_url=address, service_timeout_seconds=PATIENCE)
        assert (await gateway.get(PATH, headers=clerk.bearer())).text == "x" * 10


@pytest.mark.parametrize("conversation", [begin_and_hang, begin_and_break_off])
async def test_a_body_that_stops_is_cut_short_for_the_client(
    start_gateway: Any, clerk: Any, conversation: Conversation
) -> None:
    async with speaking(conversation) as address:
        gateway = await start_gateway(patients_url=address, service_timeout_seconds=PATIENCE)
        async with gateway.stream("GET", PATH, headers=clerk.bearer()) as answer:
            pieces = answer.aiter_raw()
            assert (answer.status_code, await anext(pieces)) == (200, b"half")
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(pieces)
        assert (await gateway.get(OTHER, headers=clerk.bearer())).status_code == 200


@pytest.mark.parametrize("hangs_up", [False, True])
async def test_an_answer_before_the_body_was_read_is_the_answer(start_gateway: Any, clerk: Any, hangs_up: bool) -> None:
    async def refuse(reader: Reader, writer: Writer) -> None:
        writer.write(REFUSED)
        if hangs_up:
            writer.write_eof()
        while await reader.read(65536):  # without this the connection would be reset, and the answer with it
            pass

    async with speaking(refuse) as address:
        gateway = await start_gateway(patients_url=address, service_timeout_seconds=5)
        for _ in range(5):
            answer = await gateway.post(PATH, content=BODY, headers=clerk.bearer())
            assert (answer.status_code, answer.text) == (403, "no")


async def test_an_answer_of_a_service_that_refuses_a_body_and_closes_at_once_is_the_answer(
    start_gateway: Any, clerk: Any
) -> None:
    async def refuse(_reader: Reader, writer: Writer) -> None:
        await asyncio.sleep(0.02)  # what has come by now is left unread: the connection is reset
        writer.write(REFUSED)

    async with speaking(refuse) as address:
        gateway = await start_gateway(patients_url=address, body_limit=len(BODY) * 10)
        for body in (BODY, BODY * 10, in_pieces(BODY)):
            answer = await gateway.post(PATH, content=body, headers=clerk.bearer())
            assert (answer.status_code, answer.text) == (403, "no")


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 20_000):
        yield body[start : start + 20_000]
        await asyncio.sleep(0.002)


async def test_a_client_that_goes_away_is_not_answered_for_by_a_service(start_gateway: Any, clerk: Any) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def wait(reader: Reader, _writer: Writer) -> None:
        asked.set()
        await reader.read()
        left.set()

    async with speaking(wait) as address:
        gateway = await start_gateway(patients_url=address)
        asking = asyncio.create_task(gateway.get(PATH, headers=clerk.bearer()))
        async with asyncio.timeout(5):
            await asked.wait()
            asking.cancel()
            await left.wait()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nno",
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\nno",
    ],
)
async def test_a_body_where_none_may_be_is_nobodys_answer(start_gateway: Any, clerk: Any, answer: bytes) -> None:
    async def alternate(reader: Reader, writer: Writer) -> None:
        writer.write(answer)
        while await reader.read(65536):
            writer.write(OK)

    async with speaking(alternate) as address:
        gateway = await start_gateway(patients_url=address)
        for _ in range(3):
            empty = await gateway.get(PATH, headers=clerk.bearer())
            assert (empty.status_code, empty.content) == (int(answer[9:12]), b"")


async def test_a_process_that_is_stopped_is_given_up_and_used_again_when_it_goes_on(
    start_gateway: Any, clerk: Any
) -> None:
    program = "import sys; from http.server import *; HTTPServer.request_queue_size = 64; " + (
        "server = HTTPServer(('127.0.0.1', 0), SimpleHTTPRequestHandler); "
        "print(server.server_port, flush=True); server.serve_forever()"
    )
    pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=pipe, stderr=quiet)
    try:
        assert process.stdout
        port = int(await process.stdout.readline())
        gateway = await start_gateway(patients_url=f"http://127.0.0.1:{port}", service_timeout_seconds=PATIENCE)
        assert (await gateway.get(PATH, headers=clerk.bearer())).status_code == 404
        os.kill(process.pid, signal.SIGSTOP)
        assert (await gateway.get(PATH, headers=clerk.bearer())).status_code == 504
        assert (await gateway.get(OTHER, headers=clerk.bearer())).status_code == 200
        os.kill(process.pid, signal.SIGCONT)
        async with asyncio.timeout(10):
            while (await gateway.get(PATH, headers=clerk.bearer())).status_code != 404:
                await asyncio.sleep(0.05)
    finally:
        process.kill()
        await process.communicate()
