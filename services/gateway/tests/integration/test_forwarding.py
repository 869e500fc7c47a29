import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

ECHO = "/api/v1/patients/org_north/patients"
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("path", "service"),
    [
        (ECHO, "patients"),
        ("/api/v1/dashboard/org_north", "analytics"),
        ("/api/v1/sync/progress/sync_org_north_20250630_120000", "sync"),
        ("/api/v1/cliniko/status/org_north", "sync"),
    ],
)
async def test_a_request_reaches_its_service_with_who_asks(
    gateway: httpx.AsyncClient, clerk: Any, path: str, service: str
) -> None:
    answer = await gateway.get(path, headers=clerk.bearer(user="user_7", role="admin"))
    content = answer.json()
    assert (answer.status_code, content["service"], content["path"]) == (200, service, path)
    assert content["caller"] == {
        "organization_id": "org_north",
        "user_id": "user_7",
        "role": "admin",
        "request_id": answer.headers["X-Request-ID"],
        "operator": False,
        "impersonator": None,
    }
    assert answer.headers["ETag"] == '"1"'


async def test_path_and_query_arrive_as_they_were_written(gateway: httpx.AsyncClient, clerk: Any) -> None:
    target = f"{ECHO}/by-appointment-type/Physio%2FLong%20%C3%A4?search=a%20b&empty=&x=1"
    content = (await gateway.get(target, headers=clerk.bearer())).json()
    assert f"{content['path']}?{content['query']}" == target


async def test_a_client_cannot_say_who_it_is(gateway: httpx.AsyncClient, clerk: Any) -> None:
    spoofed = {
        "X-Routiq-Identity": "forged",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Host": "evil.example",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "Connection": "keep-alive, X-Routiq-Identity",
    }
    content = (await gateway.get(ECHO, headers={**clerk.bearer(), **spoofed})).json()
    headers = content["headers"]
    assert content["caller"]["organization_id"] == "org_north"
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert headers["x-forwarded-host"] == gateway.base_url.netloc.decode()
    assert not headers.keys() & {"authorization", "forwarded", "x-real-ip"}


async def test_the_address_a_trusted_proxy_names_is_the_clients(start_gateway: Any, clerk: Any) -> None:
    gateway = await start_gateway(trusted_proxies=("127.0.0.1",))
    proxied = {
        "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "api.example",
    }
    headers = (await gateway.get(ECHO, headers={**clerk.bearer(), **proxied})).json()["headers"]
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("203.0.113.9", "https")
    assert headers["x-forwarded-host"] == "api.example"


async def test_a_body_passes_with_and_without_a_declared_length(gateway: httpx.AsyncClient, clerk: Any) -> None:
    body = b"b" * (MEGABYTE - 1)
    declared = await gateway.put(ECHO, content=body, headers=clerk.bearer())
    assert declared.json()["body_bytes"] == len(body)
    assert declared.json()["headers"]["content-length"] == str(len(body))
    chunked = await gateway.post(ECHO, content=pieces(body[:65536], 16), headers=clerk.bearer())
    assert chunked.json()["body_bytes"] == MEGABYTE
    assert chunked.json()["headers"]["transfer-encoding"] == "chunked"
    assert (await gateway.post(ECHO, headers=clerk.bearer())).json()["body_bytes"] == 0


async def pieces(piece: bytes, times: int) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield piece


async def test_a_body_over_the_limit_is_refused_however_it_comes(gateway: httpx.AsyncClient, clerk: Any) -> None:
    for body in (b"b" * (MEGABYTE + 1), pieces(b"b" * 65536, 17)):
        answer = await gateway.post(f"{ECHO}?do=count", content=body, headers=clerk.bearer())
        assert (answer.status_code, answer.json()["error"]) == (413, "Payload too large")
    assert (await gateway.get(ECHO, headers=clerk.bearer())).status_code == 200


async def test_a_large_upload_comes_as_fast_as_the_service_takes_it(
    start_gateway: Any, clerk: Any, services: dict[str, Any]
) -> None:
    gateway, service = await start_gateway(body_limit=64 * MEGABYTE), services["patients"]

    async def counted() -> AsyncIterator[bytes]:
        for _ in range(50):
            service.produced += MEGABYTE
            yield b"b" * MEGABYTE

    service.may_read.clear()
    upload = asyncio.create_task(gateway.post(f"{ECHO}?do=count", content=counted(), headers=clerk.bearer()))
    await settled(service)
    assert 0 < service.produced < 25 * MEGABYTE
    service.may_read.set()
    assert (await upload).json() == {"body_bytes": 50 * MEGABYTE}


async def test_a_large_answer_is_never_held_whole(
    gateway: httpx.AsyncClient, clerk: Any, services: dict[str, Any]
) -> None:
    everything = 1600 * 65536
    async with gateway.stream("GET", f"{ECHO}?do=stream&pieces=1600", headers=clerk.bearer()) as answer:
        received = answer.aiter_raw()
        await anext(received)
        await settled(services["patients"])
        assert services["patients"].produced < everything / 4
        assert 65536 <= sum([len(piece) async for piece in received]) <= everything
    assert services["patients"].produced == everything


async def settled(service: Any) -> None:
    """Wait until nothing more is produced, because somebody on the way does not take it."""
    before = -1
    while service.produced > before:
        before = service.produced
        await asyncio.sleep(0.2)


async def test_a_piece_is_passed_on_before_the_next_exists(gateway: httpx.AsyncClient, clerk: Any) -> None:
    async with gateway.stream("GET", f"{ECHO}?do=trickle", headers=clerk.bearer()) as answer:
        async with asyncio.timeout(5):
            assert await anext(answer.aiter_raw()) == b"first"


async def test_events_pass_one_by_one_as_they_happen(
    gateway: httpx.AsyncClient, clerk: Any, services: dict[str, Any]
) -> None:
    services["patients"].may_send.release()
    async with gateway.stream("GET", f"{ECHO}?do=events", headers=clerk.bearer()) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        received = answer.aiter_raw()
        for n in range(3):
            async with asyncio.timeout(5):
                assert await anext(received) == b"data: %d\n\n" % n
            services["patients"].may_send.release()


async def test_an_own_trace_goes_on_and_any_other_is_made(gateway: httpx.AsyncClient, clerk: Any) -> None:
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=1"}
    headers = (await gateway.get(ECHO, headers={**clerk.bearer(), **trace})).json()["headers"]
    assert {name: headers[name] for name in trace} == trace
    for traceparent in ({}, {"traceparent": "garbage", "tracestate": "a=1"}):
        answer = await gateway.get(ECHO, headers={**clerk.bearer(), **traceparent})
        headers = answer.json()["headers"]
        assert headers["traceparent"].split("-")[1] == answer.headers["X-Request-ID"].replace("-", "")
        assert "tracestate" not in headers


async def test_when_the_client_leaves_the_service_may_stop(
    gateway: httpx.AsyncClient, clerk: Any, services: dict[str, Any]
) -> None:
    async with gateway.stream("GET", f"{ECHO}?do=trickle", headers=clerk.bearer()) as answer:
        await anext(answer.aiter_raw())
    async with asyncio.timeout(5):
        await services["patients"].disconnected.wait()


async def test_answers_without_a_body_pass(gateway: httpx.AsyncClient, clerk: Any) -> None:
    for _ in range(2):
        head = await gateway.head(ECHO, headers=clerk.bearer())
        assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", '"1"')
        assert int(head.headers["Content-Length"]) > 0
        assert (await gateway.get(f"{ECHO}?do=nothing", headers=clerk.bearer())).status_code == 204
        unchanged = await gateway.get(f"{ECHO}?do=unchanged", headers=clerk.bearer())
        assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", '"1"')


async def test_many_at_once_get_each_their_own_answer(gateway: httpx.AsyncClient, clerk: Any) -> None:
    bearer = clerk.bearer()
    answers = await asyncio.gather(*(gateway.get(f"{ECHO}?n={n}", headers=bearer) for n in range(200)))
    assert [answer.json()["query"] for answer in answers] == [f"n={n}" for n in range(200)]
