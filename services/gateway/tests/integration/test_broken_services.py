"""Services that are away, slow, or answer what they should not: each spoken on a bare socket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from services.gateway.tests.scripted import OK, Scripted, scripted_servers

from gateway.domain.breaker import LEAST_CALLS, PAUSE_SECONDS

PATH = "/api/v1/patients/org_north/patients"


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    async with scripted_servers() as start:
        yield start


async def expect(answer: httpx.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"], answer.json()["path"]) == (status, error, PATH)
    assert "X-RateLimit-Limit" in answer.headers
    assert "Traceback" not in answer.text
    assert "127.0.0.1" not in answer.text


async def test_a_service_nobody_listens_for_is_unavailable(start_gateway: Any, clerk: Any) -> None:
    gateway = await start_gateway(patients_url="http://127.0.0.1:9")
    await expect(await gateway.get(PATH, headers=clerk.bearer()), 503, "Service unavailable")


async def test_a_service_that_does_not_answer_in_time_is_given_up(
    start_gateway: Any, clerk: Any, services: dict[str, Any]
) -> None:
    gateway = await start_gateway(service_timeout_seconds=0.2)
    await expect(await gateway.get(f"{PATH}?do=hang", headers=clerk.bearer()), 504, "Gateway timeout")
    assert (await gateway.get(PATH, headers=clerk.bearer())).status_code == 200


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"HTTP/1.1 200 OK\r\nconte",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_a_bad_gateway(
    start_gateway: Any, clerk: Any, scripted: Scripted, reply: bytes | None
) -> None:
    address, _seen = await scripted([reply])
    gateway = await start_gateway(patients_url=address)
    await expect(await gateway.get(PATH, headers=clerk.bearer()), 502, "Bad gateway")


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nbroken",
    ],
)
async def test_an_answer_cut_short_is_cut_short_for_the_client_too(
    start_gateway: Any, clerk: Any, scripted: Scripted, reply: bytes
) -> None:
    address, _seen = await scripted([reply])
    gateway = await start_gateway(patients_url=address)
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.get(PATH, headers=clerk.bearer())
    assert (await gateway.get("/api/v1/dashboard/org_north", headers=clerk.bearer())).status_code == 200


async def test_a_body_that_ends_with_the_connection_is_whole(
    start_gateway: Any, clerk: Any, scripted: Scripted
) -> None:
    address, _seen = await scripted([b"HTTP/1.1 200 OK\r\n\r\nall of it"])
    gateway = await start_gateway(patients_url=address)
    assert (await gateway.get(PATH, headers=clerk.bearer())).text == "all of it"


async def test_an_interim_answer_is_not_the_answer(start_gateway: Any, clerk: Any, scripted: Scripted) -> None:
    address, _seen = await scripted([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK])
    gateway = await start_gateway(patients_url=address)
    answer = await gateway.get(PATH, headers=clerk.bearer())
    assert (answer.status_code, answer.text) == (200, "ok")
    assert "link" not in answer.headers


async def test_one_connection_serves_many_requests(start_gateway: Any, clerk: Any, scripted: Scripted) -> None:
    address, seen = await scripted([OK] * 10)
    gateway = await start_gateway(patients_url=address)
    for _ in range(5):
        assert (await gateway.get(PATH, headers=clerk.bearer())).text == "ok"
    assert seen == [5]


async def test_a_connection_closed_while_idle_is_replaced_for_a_repeatable_request(
    start_gateway: Any, clerk: Any, scripted: Scripted
) -> None:
    address, seen = await scripted([OK, None])
    gateway = await start_gateway(patients_url=address)
    for method in ("GET", "DELETE", "GET"):
        assert (await gateway.request(method, PATH, headers=clerk.bearer())).text == "ok"
    assert seen == [2, 2, 1]


async def test_what_may_have_had_an_effect_is_not_repeated(start_gateway: Any, clerk: Any, scripted: Scripted) -> None:
    for method, body in (("POST", b""), ("PUT", b"x")):
        address, seen = await scripted([OK, None], [None])
        gateway = await start_gateway(patients_url=address)
        assert (await gateway.get(PATH, headers=clerk.bearer())).text == "ok"
        await expect(await gateway.request(method, PATH, content=body, headers=clerk.bearer()), 502, "Bad gateway")
        assert seen == [1, 1], "on a connection of its own, which nobody may have been closing"


async def test_a_service_that_stops_answering_is_left_alone_until_it_answers_again(
    start_gateway: Any, clerk: Any, scripted: Scripted
) -> None:
    address, seen = await scripted(*[[None]] * 2 * LEAST_CALLS, [OK])
    gateway = await start_gateway(patients_url=address)
    bearer = clerk.bearer()
    for _ in range(LEAST_CALLS):
        await expect(await gateway.get(PATH, headers=bearer), 502, "Bad gateway")
    assert await breaker_state(gateway) == 2
    for _ in range(5):
        await expect(await gateway.get(PATH, headers=bearer), 503, "Service unavailable")
    assert len(seen) == 2 * LEAST_CALLS, "each was tried twice"
    assert (await gateway.get("/api/v1/dashboard/org_north", headers=bearer)).status_code == 200
    async with asyncio.timeout(PAUSE_SECONDS + 3):
        while (await gateway.get(PATH, headers=bearer)).status_code != 200:
            await asyncio.sleep(0.1)
    assert len(seen) == 2 * LEAST_CALLS + 1
    assert await breaker_state(gateway) == 0


async def breaker_state(gateway: httpx.AsyncClient) -> float:
    name, lines = 'routiq_gateway_breaker_state{service="patients"} ', (await gateway.get("/metrics")).text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name))


async def test_an_answer_is_a_sign_of_life_whatever_it_says(start_gateway: Any, clerk: Any, scripted: Scripted) -> None:
    for status in (b"404 Not Found", b"500 Internal Server Error"):
        address, seen = await scripted([b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n" % status] * 100)
        gateway = await start_gateway(patients_url=address)
        for _ in range(2 * LEAST_CALLS):
            assert (await gateway.get(PATH, headers=clerk.bearer())).status_code == int(status[:3])
        assert seen == [2 * LEAST_CALLS]


async def test_a_second_failure_is_not_tried_again(start_gateway: Any, clerk: Any, scripted: Scripted) -> None:
    address, seen = await scripted([OK, None], [None])
    gateway = await start_gateway(patients_url=address)
    assert (await gateway.get(PATH, headers=clerk.bearer())).text == "ok"
    await expect(await gateway.get(PATH, headers=clerk.bearer()), 502, "Bad gateway")
    assert seen == [2, 1]


async def test_bytes_after_an_answer_never_become_the_next_one(
    start_gateway: Any, clerk: Any, scripted: Scripted
) -> None:
    address, seen = await scripted([OK + OK.replace(b"ok", b"no"), OK])
    gateway = await start_gateway(patients_url=address)
    for _ in range(3):
        assert (await gateway.get(PATH, headers=clerk.bearer())).text == "ok"
    assert seen == [1, 1, 1]
