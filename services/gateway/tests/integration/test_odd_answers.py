"""Answers that no service of ours should give: a client gets a whole one, and nothing that is not for it."""

from typing import Any

import httpx
import pytest
from services.gateway.tests.scripted import Scripted, scripted_servers

PATH = "/api/v1/patients/org_north/patients"
MANY = b"".join(b"x%d: y\r\n" % n for n in range(10_000))
CHUNKED_OK = b"2\r\nok\r\n0\r\n\r\n"


def answer(lines: bytes = b"content-length: 2\r\n", body: bytes = b"ok", status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return status + b"\r\n" + lines + b"\r\n" + body


REFUSED = {
    "both lengths": answer(b"content-length: 2\r\ntransfer-encoding: chunked\r\n", CHUNKED_OK),
    "two lengths": answer(b"content-length: 2\r\ncontent-length: 3\r\n"),
    "a list of lengths": answer(b"content-length: 2, 2\r\n"),
    "a negative length": answer(b"content-length: -2\r\n"),
    "an endless length": answer(b"content-length: 99999999999999999999\r\n"),
    "a coding before chunked": answer(b"transfer-encoding: gzip, chunked\r\n", CHUNKED_OK),
    "a coding after chunked": answer(b"transfer-encoding: chunked, gzip\r\n", CHUNKED_OK),
    "another coding": answer(b"transfer-encoding: gzip\r\n"),
    "NUL in a value": answer(b"x: a\0b\r\ncontent-length: 2\r\n"),
    "a control character": answer(b"x: \x01\r\ncontent-length: 2\r\n"),
    "a bare carriage return": answer(b"x: a\rset-cookie: b\r\ncontent-length: 2\r\n"),
    "a folded line": answer(b"x: a\r\n b\r\ncontent-length: 2\r\n"),
    "a space before the colon": answer(b"content-length : 2\r\n"),
    "a space in a name": answer(b"a b: c\r\ncontent-length: 2\r\n"),
    "line feeds only": b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    "two digits of a status": answer(status=b"HTTP/1.1 99 X"),
    "four digits of a status": answer(status=b"HTTP/1.1 1000 X"),
    "a status that is none": answer(status=b"HTTP/1.1 600 X"),
    "the largest status": answer(status=b"HTTP/1.1 999 X"),
    "HTTP/2": answer(status=b"HTTP/2 200 OK"),
    "another protocol": answer(status=b"ICY 200 OK"),
    "small letters": answer(status=b"http/1.1 200 OK"),
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "garbage": b"\x00\xff" * 100,
    "too many headers": answer(MANY + b"content-length: 2\r\n"),
    "too large a header": answer(b"x: " + b"y" * 1_000_000 + b"\r\ncontent-length: 2\r\n"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_passed_on_is_a_bad_gateway(start_gateway: Any, clerk: Any, case: str) -> None:
    async with scripted_servers() as scripted:
        address, _seen = await scripted([REFUSED[case]])
        gateway = await start_gateway(patients_url=address)
        refused = await gateway.get(PATH, headers=clerk.bearer())
        assert (refused.status_code, refused.json()["error"]) == (502, "Bad gateway")
        assert refused.headers["X-Request-ID"]
        assert (await gateway.get("/api/v1/dashboard/org_north", headers=clerk.bearer())).status_code == 200


async def answered(start_gateway: Any, clerk: Any, scripted: Scripted, lines: bytes) -> httpx.Response:
    address, _seen = await scripted([answer(lines + b"content-length: 2\r\n")])
    gateway = await start_gateway(patients_url=address)
    found: httpx.Response = await gateway.get(PATH, headers={**clerk.bearer(), "Origin": "https://evil.example"})
    assert (found.status_code, found.text) == (200, "ok")
    return found


async def test_what_the_gateway_says_is_not_said_by_a_service_too(start_gateway: Any, clerk: Any) -> None:
    said = b"x-ratelimit-limit: 5\r\nx-ratelimit-remaining: 5\r\nretry-after: 5\r\nx-request-id: 5\r\nserver: 5\r\n"
    said += b"x-frame-options: ALLOWALL\r\nx-content-type-options: 5\r\nstrict-transport-security: 5\r\ndate: 5\r\n"
    async with scripted_servers() as scripted:
        headers = (await answered(start_gateway, clerk, scripted, said)).headers
    for line in said.splitlines():
        name = line.partition(b":")[0].decode()
        values = headers.get_list(name)
        assert len(values) == (name != "server"), (name, values)
        assert values != ["5"], name


async def test_a_service_does_not_say_who_may_read(start_gateway: Any, clerk: Any) -> None:
    said = b"access-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\nx-routiq-inner: 1\r\n"
    async with scripted_servers() as scripted:
        headers = (await answered(start_gateway, clerk, scripted, said)).headers
    assert [name for name in headers if name.startswith(("access-control-", "x-routiq-"))] == []


async def test_what_a_service_says_of_its_answer_passes(start_gateway: Any, clerk: Any) -> None:
    said = b'etag: "7"\r\ncontent-type: text/csv\r\ncontent-disposition: attachment\r\nlink: </x>\r\nlink: </y>\r\n'
    async with scripted_servers() as scripted:
        headers = (await answered(start_gateway, clerk, scripted, said)).headers
    assert (headers["etag"], headers["content-type"]) == ('"7"', "text/csv")
    assert headers["content-disposition"] == "attachment"
    assert headers.get_list("link") == ["</x>", "</y>"]
