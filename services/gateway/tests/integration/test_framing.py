"""Bytes that are not quite a request: two parsers that read them differently let one request hide in another."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from services.gateway.tests.wire import GET, POST, exchanged, statuses

from gateway.entrypoints import protocol
from gateway.entrypoints.framing import HEAD_BYTES, HEAD_LINES

CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
ENVELOPE = {"error", "detail", "timestamp", "path"}

REFUSED: Mapping[str, bytes] = {
    "no HTTP": b"nonsense\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "both lengths": POST + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, the other way round": POST + b"transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "the same length twice": POST + b"content-length: 1\r\ncontent-length: 1\r\n\r\na",
    "a list of lengths": POST + b"content-length: 1, 1\r\n\r\na",
    "a length with a sign": POST + b"content-length: +1\r\n\r\na",
    "a negative length": POST + b"content-length: -1\r\n\r\na",
    "a hexadecimal length": POST + b"content-length: 0x1\r\n\r\na",
    "a length with an underscore": POST + b"content-length: 1_0\r\n\r\na",
    "an endless length": POST + b"content-length: 99999999999999999999999\r\n\r\na",
    "an empty length": POST + b"content-length: \r\n\r\na",
    "two numbers as a length": POST + b"content-length: 1 1\r\n\r\na",
    "a broken number as a length": POST + b"content-length: 1.0\r\n\r\na",
    "a length in foreign digits": POST + "content-length: \u0661\r\n\r\na".encode(),
    "a length behind a vertical tabulator": POST + b"content-length:\x0b1\r\n\r\na",
    "no length beside a coding": POST + b"content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": POST + b"transfer-encoding: gzip\r\n\r\n",
    "a coding before chunked": POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": POST + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked after a comma": POST + b"transfer-encoding: ,chunked\r\n\r\n0\r\n\r\n",
    "chunked before a comma": POST + b"transfer-encoding: chunked,\r\n\r\n0\r\n\r\n",
    "chunked in quotes": POST + b'transfer-encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunked with a parameter": POST + b"transfer-encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    "chunked on a folded line": POST + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "no coding at all": POST + b"transfer-encoding:\r\ncontent-length: 1\r\n\r\na",
    "the coding that is none": POST + b"transfer-encoding: identity\r\n\r\n",
    "the coding that is none before another": (
        POST + b"transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "no coding that looks like one": POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding behind a tabulator": POST + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a coding in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    "a tabulator before the colon": POST + b"content-length\t: 1\r\n\r\na",
    "no chunk size": CHUNKED + b"zz\r\n\r\n",
    "a chunk size with prefix": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
    "a chunk size with a sign": CHUNKED + b"+1\r\na\r\n0\r\n\r\n",
    "a chunk size with an underscore": CHUNKED + b"0_1\r\na\r\n0\r\n\r\n",
    "a space before a chunk size": CHUNKED + b" 1\r\na\r\n0\r\n\r\n",
    "a space after a chunk size": CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
    "an empty chunk size": CHUNKED + b"\r\na\r\n0\r\n\r\n",
    "a chunk size before a bare carriage return": CHUNKED + b"1\ra\r\n0\r\n\r\n",
    "a chunk extension with a bare line feed": CHUNKED + b"1;x\na\r\n0\r\n\r\n",
    "a chunk extension with a bare carriage return": CHUNKED + b"1;x\ry\r\na\r\n0\r\n\r\n",
    "a chunk extension over two lines": CHUNKED + b'1;x="\r\n"\r\na\r\n0\r\n\r\n',
    "NUL in a chunk extension": CHUNKED + b"1;\0\r\na\r\n0\r\n\r\n",
    "an endless chunk": CHUNKED + b"10000000000000000\r\na\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "a chunk size before a bare line feed": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "a chunk before a bare line feed": CHUNKED + b"1\r\na\n0\r\n\r\n",
    "a chunk before a bare carriage return": CHUNKED + b"1\r\na\rx0\r\n\r\n",
    "a last chunk before a bare line feed": CHUNKED + b"0\n\n",
    "a bare line feed after the last chunk": CHUNKED + b"0\r\n\n",
    "a length among the trailers": CHUNKED + b"0\r\ncontent-length: 5\r\n\r\n",
    "a coding among the trailers": CHUNKED + b"0\r\ntransfer-encoding: chunked\r\n\r\n",
    "a folded trailer": CHUNKED + b"0\r\nx: a\r\n b\r\n\r\n",
    "a trailer without a colon": CHUNKED + b"0\r\nx y\r\n\r\n",
    "a folded line": GET + b"x: a\r\n b\r\n\r\n",
    "a folded first line": b"GET / HTTP/1.1\r\n host: x\r\n\r\n",
    "NUL in a value": GET + b"x: a\0b\r\n\r\n",
    "NUL in a name": GET + b"x\0: a\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n",
    "a control character": GET + b"x: a\x01b\r\n\r\n",
    "a bare carriage return": GET + b"x: a\rb\r\n\r\n",
    "a carriage return too many": GET + b"x: a\r\r\n\r\n",
    "DEL in a value": GET + b"x: \x7f\r\n\r\n",
    "a letter beyond ASCII in a name": GET + "\u00e9: a\r\n\r\n".encode(),
    "line feeds only": b"GET / HTTP/1.1\nhost: x\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nhost: x\nx: a\r\n\r\n",
    "a bare line feed at the end": GET + b"\n",
    "no name": GET + b": a\r\n\r\n",
    "a space in a name": GET + b"a b: a\r\n\r\n",
    "no colon": GET + b"abc\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nx: x\r\n\r\n",
    "two hosts": GET + b"host: y\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nhost:\r\n\r\n",
    "a host that is more": b"GET / HTTP/1.1\r\nhost: x/y@z\r\n\r\n",
    "hosts in a list": b"GET / HTTP/1.1\r\nhost: x, y\r\n\r\n",
    "two words as a host": b"GET / HTTP/1.1\r\nhost: x y\r\n\r\n",
    "a user before the host": b"GET / HTTP/1.1\r\nhost: a@x\r\n\r\n",
    "an authority as the target": b"GET x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
    "another host in the target": b"GET http://y/ HTTP/1.1\r\nhost: x\r\n\r\n",
    "another port in the target": b"GET http://x:81/ HTTP/1.1\r\nhost: x\r\n\r\n",
    "a user in the target": b"GET http://x@y/ HTTP/1.1\r\nhost: x\r\n\r\n",
    "another scheme in the target": b"GET ftp://x/ HTTP/1.1\r\nhost: x\r\n\r\n",
    "a target that does not start anywhere": b"GET health HTTP/1.1\r\nhost: x\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
    "a letter beyond ASCII in the target": "GET /\u00e9 HTTP/1.1\r\nhost: x\r\n\r\n".encode(),
    "tabulators between the words": b"GET\t/\tHTTP/1.1\r\nhost: x\r\n\r\n",
    "a space before the method": b" GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    "a mark of byte order": b"\xef\xbb\xbfGET / HTTP/1.1\r\nhost: x\r\n\r\n",
    "a method in small letters": b"get / HTTP/1.1\r\nhost: x\r\n\r\n",
    "a protocol in small letters": b"GET / http/1.1\r\nhost: x\r\n\r\n",
    "no path": b"CONNECT x:443 HTTP/1.1\r\nhost: x:443\r\n\r\n",
    "an unknown method": b"FOO / HTTP/1.1\r\nhost: x\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nhost: x\r\n\r\n",
    "HTTP/1.10": b"GET / HTTP/1.10\r\nhost: x\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nhost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("case", REFUSED)
async def test_it_is_refused_in_the_envelope_and_the_connection_ends(gateway: httpx.AsyncClient, case: str) -> None:
    hidden = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
    for pieces in ([REFUSED[case] + hidden], [REFUSED[case][:20], REFUSED[case][20:], hidden]):
        answer = await exchanged(gateway, *pieces)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert statuses(answer) == [400], "and nothing hidden behind it is answered"
        assert b"connection: close" in head.lower()
        assert b"server:" not in head.lower()
        assert json.loads(body).keys() == ENVELOPE


@pytest.mark.parametrize(
    "head",
    [
        GET + b"x: " + b"a" * HEAD_BYTES + b"\r\n\r\n",
        GET + b"x: " + b"a" * 1_000_000,
        GET + b"x: a\r\n" * HEAD_LINES + b"\r\n",
        GET + b"".join(b"x%d: %b\r\n" % (n, b"a" * 900) for n in range(50)) + b"\r\n",
        b"GET /" + b"a" * HEAD_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
    ids=["one long", "one endless", "many", "together too long", "the target"],
)
async def test_a_head_that_is_too_large_is_refused(gateway: httpx.AsyncClient, head: bytes) -> None:
    for pieces in ([head], [head[:100], head[100:20_000], head[20_000:]]):
        answer = await exchanged(gateway, *pieces)
        assert statuses(answer) == [431]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "Request header fields too large"


async def test_a_large_head_within_the_limits_passes_with_a_large_body_behind_it(gateway: httpx.AsyncClient) -> None:
    lines = b"".join(b"x%d: %b\r\n" % (n, b"a" * 300) for n in range(90))
    request = POST + lines + b"connection: close\r\ncontent-length: 20000\r\n\r\n" + b"b" * 20_000
    assert statuses(await exchanged(gateway, request)) == [405]


async def test_requests_in_one_packet_are_answered_in_their_order(gateway: httpx.AsyncClient) -> None:
    last = b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    assert statuses(await exchanged(gateway, b"\r\n" + GET + b"\r\n" + GET + b"\r\n" + last)) == [200, 200, 404]


async def test_what_follows_a_whole_request_does_not_take_its_answer(gateway: httpx.AsyncClient) -> None:
    assert statuses(await exchanged(gateway, GET + b"\r\nnonsense\r\n\r\n")) == [200]


async def test_after_the_last_request_nothing_is_read(gateway: httpx.AsyncClient) -> None:
    assert statuses(await exchanged(gateway, GET + b"connection: close\r\n\r\n" + GET + b"\r\n")) == [200]


async def test_an_upgrade_is_not_offered(gateway: httpx.AsyncClient) -> None:
    for protocol_name in (b"websocket", b"h2c"):
        asking = GET + b"connection: upgrade\r\nupgrade: " + protocol_name + b"\r\n\r\n"
        assert statuses(await exchanged(gateway, asking + GET + b"\r\n")) == [200]


async def test_trailers_are_not_headers(gateway: httpx.AsyncClient, clerk: Any) -> None:
    head = b"GET /api/v1/auth/verify HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    trailer = b"authorization: %b\r\n" % clerk.bearer()["Authorization"].encode()
    assert statuses(await exchanged(gateway, head + b"0\r\n" + trailer + b"\r\n")) == [401]


async def test_a_broken_body_breaks_the_request_to_the_service_too(
    gateway: httpx.AsyncClient, clerk: Any, services: dict[str, Any]
) -> None:
    path = b"/api/v1/patients/org_north/patients?do=count"
    head = b"POST %b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nauthorization: %b\r\n\r\n" % (
        path,
        clerk.bearer()["Authorization"].encode(),
    )
    answer = await exchanged(gateway, head, b"3\r\nabc\r\n", b"zz\r\n")
    assert statuses(answer) == [400]
    assert (await gateway.get("/api/v1/patients/org_north/patients", headers=clerk.bearer())).status_code == 200


async def test_a_head_that_does_not_come_in_time_is_not_waited_for(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    assert await exchanged(gateway) == b""
    assert await exchanged(gateway, b"\r\n") == b""
    for pieces in ([GET], [b"G"], [GET + b"\r\n" + GET, b"x"]):
        assert statuses(await exchanged(gateway, *pieces))[-1:] == [408]


@pytest.mark.parametrize("sent", [b"", b"abc"])
async def test_a_body_that_stops_coming_is_the_clients_fault(start_gateway: Any, clerk: Any, sent: bytes) -> None:
    gateway = await start_gateway(client_timeout_seconds=0.4, service_timeout_seconds=0.1)
    head = b"POST /api/v1/patients/org_north/patients?do=count HTTP/1.1\r\nhost: x\r\nauthorization: %b\r\n"
    head %= clerk.bearer()["Authorization"].encode()
    for framing, piece in ((b"content-length: 10", sent), (b"transfer-encoding: chunked", sent and b"3\r\nabc\r\n")):
        answer = await exchanged(gateway, head + framing + b"\r\n\r\n" + piece)
        assert statuses(answer) == [408]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "Request timeout"


async def test_a_service_that_does_not_take_a_body_is_the_services_fault(
    start_gateway: Any, clerk: Any, services: dict[str, Any]
) -> None:
    gateway = await start_gateway(service_timeout_seconds=0.3, body_limit=64_000_000)
    services["patients"].may_read.clear()
    path = "/api/v1/patients/org_north/patients?do=count"
    assert (await gateway.post(path, content=b"x" * 30_000_000, headers=clerk.bearer())).status_code == 504
    services["patients"].may_read.set()


async def test_an_early_answer_arrives_though_the_client_still_sends(gateway: httpx.AsyncClient) -> None:
    head = b"POST /api/v1/auth/verify HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n"
    for _ in range(5):
        assert statuses(await exchanged(gateway, head, *[b"x" * 100_000] * 5)) == [405]
