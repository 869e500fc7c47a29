import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sync.adapters.cliniko import Cliniko, pause_seconds
from sync.adapters.throttle import Throttle
from sync.adapters.vault import Unreadable, Vault
from sync.domain.clinic import Away, BadAnswer, Busy, ClinikoError, CredentialsRefused, PermissionDenied

OLD, NEW = (f"{name}:{base64.b64encode(byte * 32).decode()}" for name, byte in (("old", b"o"), ("new", b"n")))
Answer = Callable[[httpx.Request], httpx.Response]


def test_what_was_sealed_opens_for_its_organization_only_and_after_a_change_of_keys() -> None:
    sealed = Vault(OLD).seal("MS0-secret-au4", "org_a")
    assert b"secret" not in sealed
    rotated = Vault(f"{NEW},{OLD}")
    assert rotated.open(sealed, "org_a") == "MS0-secret-au4"
    assert rotated.seal("x", "org_a")[2:5] == b"new"
    with pytest.raises(Unreadable):
        rotated.open(sealed, "org_b")
    with pytest.raises(Unreadable):
        Vault(NEW).open(sealed, "org_a")


@pytest.mark.parametrize("keys", ["", "nokey", "a:short", "a:" + base64.b64encode(b"x" * 31).decode()])
def test_keys_that_are_no_keys_are_refused_at_the_start(keys: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 and the cipher each word it their own way
        Vault(keys)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset": "1030"}, 30),
        ({"x-ratelimit-reset": "900"}, 1),
        ({"x-ratelimit-reset": "99999999"}, 90),
        ({"x-ratelimit-reset": "soon"}, 60),
        ({"x-ratelimit-reset": "nan"}, 60),
        ({}, 60),
    ],
)
def test_the_pause_after_429_is_what_cliniko_says_within_reason(headers: dict[str, str], seconds: float) -> None:
    assert pause_seconds(headers, now=1000) == seconds


def account(answer: Answer, attempts: int = 2) -> Cliniko:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Cliniko(http, "https://api.{shard}.cliniko.com/v1", "MS0-key-au4", Throttle(), attempts)


def always(status: int, **content: Any) -> Answer:
    return lambda _request: httpx.Response(status, **content)


def refuse(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (always(401, text="HTTP Basic: Access denied."), CredentialsRefused),
        (always(403), PermissionDenied),
        (always(404, html="<html>"), BadAnswer),
        (always(301, headers={"location": "https://elsewhere.example/"}), BadAnswer),
        (always(500, html="<html>"), Away),
        (always(429, headers={"x-ratelimit-reset": "0"}), Busy),
        (always(200, text="<html>"), BadAnswer),
        (always(200, json=[]), BadAnswer),
        (always(200, json={"patients": {}, "total_entries": 1}), BadAnswer),
        (always(200, content=b"no gzip", headers={"content-encoding": "gzip"}), Away),
        (always(200, content=b"[" * 100_000), BadAnswer),
        (refuse, Away),
    ],
)
async def test_every_way_cliniko_fails_is_one_of_its_errors(answer: Answer, error: type[ClinikoError]) -> None:
    with pytest.raises(error):
        await account(answer).page("patients", (), 1)


async def test_a_page_is_asked_for_as_cliniko_wants_it() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"practitioners": [{"id": "1"}], "total_entries": 1})

    page = await account(answer).page("practitioners/inactive", ("archived_at:*",), 3)
    (request,) = asked
    assert (len(page.rows), page.total) == (1, 1)
    assert request.url.host == "api.au4.cliniko.com"
    assert request.url.path == "/v1/practitioners/inactive"
    expected = {"q[]": "archived_at:*", "sort": "created_at:asc,id:asc", "page": "3", "per_page": "100"}
    assert dict(request.url.params) == expected
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"MS0-key-au4:").decode()


async def test_the_throttle_lets_a_window_through_at_once_and_then_makes_wait() -> None:
    throttle = Throttle(limit=3)
    for _ in range(3):
        await asyncio.wait_for(throttle.wait(), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(throttle.wait(), 0.05)


async def test_a_pause_holds_everybody_back() -> None:
    throttle, began = Throttle(), time.monotonic()
    throttle.pause(0.2)
    await asyncio.gather(throttle.wait(), throttle.wait())
    assert time.monotonic() - began >= 0.2
