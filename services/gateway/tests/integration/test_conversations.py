"""Unusual but right: what a strict gateway must still understand, byte by byte."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from services.gateway.tests.wire import GET, LAST, exchanged, statuses

PATH = b"/api/v1/patients/org_north/patients"
CLOSE = b"connection: close\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n" + CLOSE + b"\r\n"


@pytest.fixture
def post(clerk: Any) -> bytes:
    """The beginning of a request that a service answers with what it got."""
    return b"POST %b HTTP/1.1\r\nhost: x\r\nauthorization: %b\r\n" % (PATH, clerk.bearer()["Authorization"].encode())


def arrived(answer: bytes) -> Any:
    """What the service says of the last request."""
    return json.loads(answer.rpartition(b"\r\n\r\n")[2])


UNUSUAL: Mapping[str, bytes] = {
    "a tabulator before the length": CLOSE + b"content-length:\t3\r\n\r\nabc",
    "a space after the length": CLOSE + b"content-length: 3 \r\n\r\nabc",
    "a length with zeros before it": CLOSE + b"content-length: 0003\r\n\r\nabc",
    "a coding in capitals": CLOSE + b"Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with zeros before it": CHUNKED + b"000003\r\nabc\r\n0\r\n\r\n",
    "a last chunk of many zeros": CHUNKED + b"3\r\nabc\r\n0000\r\n\r\n",
    "a chunk extension": CHUNKED + b'3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n',
    "a trailer": CHUNKED + b"3\r\nabc\r\n0\r\nhost: y\r\nx-routiq-identity: y\r\n\r\n",
    "a length said to be for this hop": b"connection: close, content-length\r\ncontent-length: 3\r\n\r\nabc",
    "a coding said to be for this hop": (
        b"connection: close, transfer-encoding\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    ),
    "what only looks like a coding": CLOSE + b"transfer_encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
}


@pytest.mark.parametrize("case", UNUSUAL)
async def test_the_same_body_arrives_however_it_is_framed(gateway: httpx.AsyncClient, post: bytes, case: str) -> None:
    for pieces in ([post + UNUSUAL[case]], [post, UNUSUAL[case][:-12], UNUSUAL[case][-12:]]):
        answer = await exchanged(gateway, *pieces)
        assert statuses(answer) == [200]
        received = arrived(answer)
        assert received["body_bytes"] == 3
        assert received["headers"]["x-forwarded-host"] == "x"


async def test_a_request_inside_a_body_is_a_body(gateway: httpx.AsyncClient, post: bytes) -> None:
    framed = b"content-length: %d\r\n\r\n" % len(LAST) + LAST
    for method in (b"GET", b"PUT", b"DELETE"):
        asked = post.replace(b"POST", method) + framed
        answer = await exchanged(gateway, asked, LAST)
        assert statuses(answer) == [200, 404]
        assert b'"body_bytes":%d' % len(LAST) in answer
    own = b"GET /health HTTP/1.1\r\nhost: x\r\n" + framed
    assert statuses(await exchanged(gateway, own + LAST)) == [200, 404]


async def test_requests_sent_without_waiting_are_answered_in_their_order(
    gateway: httpx.AsyncClient, clerk: Any, services: dict[str, Any], post: bytes
) -> None:
    services["patients"].may_read.clear()
    slow = post.replace(PATH, PATH + b"?do=count") + b"content-length: 3\r\n\r\nabc"
    chunked = post + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    answering = asyncio.create_task(exchanged(gateway, slow + chunked + GET + b"\r\n" + LAST))
    await asyncio.sleep(0.2)
    services["patients"].may_read.set()
    answers = await answering
    assert statuses(answers) == [200, 200, 200, 404]
    first, second = answers.index(b'{"body_bytes":3}'), answers.index(b'"body_bytes":2')
    assert first < second < answers.index(b"Routiq Backend API")


async def test_a_body_is_asked_for_only_when_it_is_wanted(gateway: httpx.AsyncClient, post: bytes) -> None:
    expecting = b"expect: 100-continue\r\ncontent-length: %b\r\n"
    head = post + CLOSE + expecting % b"3" + b"\r\n"
    answer = await exchanged(gateway, head, b"abc")
    assert statuses(answer) == [100, 200]
    assert "expect" not in arrived(answer)["headers"]
    stranger = b"POST %b HTTP/1.1\r\nhost: x\r\n" % PATH + CLOSE + expecting % b"3" + b"\r\n"
    assert statuses(await exchanged(gateway, stranger)) == [401]
    assert statuses(await exchanged(gateway, post + CLOSE + expecting % b"99999999" + b"\r\n")) == [413]


async def test_a_body_expected_by_nobody_is_not_asked_for(gateway: httpx.AsyncClient) -> None:
    assert statuses(await exchanged(gateway, GET + CLOSE + b"expect: 100-continue\r\n\r\n")) == [200]


@pytest.mark.parametrize("target", [b"/nothing", b"/health", PATH, PATH + b"?do=stream&pieces=2"])
async def test_to_a_head_request_there_is_no_body_to_take_for_an_answer(
    gateway: httpx.AsyncClient, clerk: Any, target: bytes
) -> None:
    for authorization in (b"", b"authorization: %b\r\n" % clerk.bearer()["Authorization"].encode()):
        head = b"HEAD %b HTTP/1.1\r\nhost: x\r\n%b\r\n" % (target, authorization)
        answers = await exchanged(gateway, head + LAST)
        assert len(statuses(answers)) == 2
        assert answers.split(b"\r\n\r\n")[1].startswith(b"HTTP/1.1 404")


async def test_a_target_with_scheme_and_host_is_understood(gateway: httpx.AsyncClient, post: bytes) -> None:
    assert statuses(await exchanged(gateway, b"GET http://x/health HTTP/1.1\r\nhost: x\r\n" + CLOSE + b"\r\n")) == [200]
    asked = post.replace(PATH, b"http://x" + PATH + b"?a=1") + CLOSE + b"content-length: 3\r\n\r\nabc"
    received = arrived(await exchanged(gateway, asked))
    assert (received["path"], received["query"], received["body_bytes"]) == (PATH.decode(), "a=1", 3)


@pytest.mark.parametrize("line", [b"OPTIONS *", b"GET *", b"CONNECT /health", b"TRACE /health", b"PROPFIND /health"])
async def test_what_is_not_on_offer_is_declined_in_the_envelope(gateway: httpx.AsyncClient, line: bytes) -> None:
    answer = await exchanged(gateway, line + b" HTTP/1.1\r\nhost: x\r\n" + CLOSE + b"\r\n")
    assert statuses(answer)[0] in (404, 405)
    assert json.loads(answer.partition(b"\r\n\r\n")[2]).keys() == {"error", "detail", "timestamp", "path"}


@pytest.mark.parametrize("asked", [b"", b"connection: keep-alive\r\n"])
async def test_an_old_client_gets_one_whole_answer(gateway: httpx.AsyncClient, asked: bytes) -> None:
    answer = await exchanged(gateway, b"GET / HTTP/1.0\r\n" + asked + b"\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert statuses(answer) == [200]
    assert b"connection: close" in head.lower()
    assert json.loads(body)["message"] == "Routiq Backend API"


async def test_a_chunk_that_never_comes_is_not_waited_for(start_gateway: Any, post: bytes) -> None:
    gateway = await start_gateway(client_timeout_seconds=0.3)
    for size in (b"ffffffff", b"fffffffffffffff"):
        assert statuses(await exchanged(gateway, post + CHUNKED + size + b"\r\nabc")) == [408]


async def test_an_old_client_gets_a_body_without_chunks(gateway: httpx.AsyncClient, post: bytes) -> None:
    asked = post.replace(b"POST", b"GET").replace(PATH, PATH + b"?do=stream&pieces=2").replace(b"1.1", b"1.0")
    head, _, body = (await exchanged(gateway, asked + b"\r\n")).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body == b"x" * 2 * 65536


async def test_an_old_client_is_not_told_to_go_on(gateway: httpx.AsyncClient, post: bytes) -> None:
    head = post.replace(b"1.1", b"1.0") + b"expect: 100-continue\r\ncontent-length: 3\r\n\r\n"
    assert statuses(await exchanged(gateway, head, b"abc")) == [200]


@pytest.mark.parametrize(
    "framing",
    [
        b"3\r\nabc\r\n0\r\n" + b"x: y\r\n" * 10_000 + b"\r\n",
        b"3\r\nabc\r\n0\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
        b"3;" + b"x" * 200_000 + b"\r\nabc\r\n0\r\n\r\n",
    ],
    ids=["trailers", "one trailer", "a chunk extension"],
)
async def test_what_frames_a_body_is_not_larger_than_a_head_may_be(
    gateway: httpx.AsyncClient, post: bytes, framing: bytes
) -> None:
    assert statuses(await exchanged(gateway, post + CHUNKED + framing))[0] in (400, 431)


async def test_trailers_after_the_answer_are_not_collected_either(gateway: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection(gateway.base_url.host, gateway.base_url.port)
    try:
        writer.write(GET + b"transfer-encoding: chunked\r\n\r\n0\r\n")
        assert (await reader.readuntil(b"\r\n")).split()[1] == b"200"
        with pytest.raises(ConnectionError):
            await send(writer, b"x: y\r\n" * 10_000, times=500)
    finally:
        writer.close()


async def send(writer: asyncio.StreamWriter, piece: bytes, times: int) -> None:
    for _ in range(times):
        writer.write(piece)
        await writer.drain()
