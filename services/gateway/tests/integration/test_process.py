import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

ECHO = "/api/v1/patients/org_north/patients"
MEGABYTE = 1024 * 1024


@pytest.fixture
def environment(clerk: Any, service_urls: Mapping[str, Any]) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "IDENTITY_KEY": "k" * 32,
        "CLERK_ISSUER": clerk.issuer,
        "CLERK_AUTHORIZED_PARTIES": "https://app.example, https://other.example",
        "BODY_LIMIT": str(64 * MEGABYTE),
        "ALLOWED_ORIGINS": "https://app.example",
        **{f"{name.upper()}_URL": url for name, (_service, url) in service_urls.items()},
    }


async def start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=environment, stdout=pipe, stderr=pipe
    )


@pytest.fixture
async def process(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await start(environment)
    yield started
    if started.returncode is None:
        started.kill()
    await started.communicate()


async def ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                if (await client.get("/health/ready")).status_code == 200:
                    return
            except httpx.ConnectError:
                pass
            await asyncio.sleep(0.05)


async def stopped(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """What the process printed, once it has ended as it was told to."""
    async with asyncio.timeout(10):
        printed, problems = await process.communicate()
    assert process.returncode in (0, -signal.SIGTERM)
    assert b"Traceback" not in printed + problems
    return printed.decode(), problems.decode()


@pytest.fixture
async def client(process: asyncio.subprocess.Process, environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    assert process.returncode is None
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{environment['PORT']}", timeout=20) as client:
        await ready(client)
        yield client


async def test_a_request_under_way_is_finished_before_the_process_ends(
    process: asyncio.subprocess.Process, client: httpx.AsyncClient, clerk: Any
) -> None:
    target = "/api/v1/patients/org_north/patients?do=stream&pieces=400"
    async with client.stream("GET", target, headers=clerk.bearer(azp="https://other.example")) as answer:
        pieces = answer.aiter_raw()
        received = len(await anext(pieces))
        process.send_signal(signal.SIGTERM)
        received += sum([len(piece) async for piece in pieces])
    assert received == 400 * 65536
    await stopped(process)


def peak(process: asyncio.subprocess.Process) -> int:
    """The most memory the process has held so far, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


async def test_fifty_megabytes_pass_either_way_through_a_few(
    process: asyncio.subprocess.Process, client: httpx.AsyncClient, clerk: Any, services: dict[str, Any]
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"b" * MEGABYTE

    bearer = clerk.bearer(azp="https://app.example")
    await client.get(ECHO, headers=bearer)
    before = peak(process)
    services["patients"].may_read.clear()
    upload = asyncio.create_task(client.post(f"{ECHO}?do=count", content=pieces(), headers=bearer))
    await asyncio.sleep(0.5)
    services["patients"].may_read.set()
    assert (await upload).json() == {"body_bytes": 50 * MEGABYTE}
    received = 0
    async with client.stream("GET", f"{ECHO}?do=stream&pieces=800", headers=bearer) as answer:
        async for piece in answer.aiter_raw():
            await asyncio.sleep(0.5 if received == 0 else 0)
            received += len(piece)
    assert received == 50 * MEGABYTE
    assert peak(process) - before < 10 * MEGABYTE


async def test_a_rolling_restart_loses_no_request(
    process: asyncio.subprocess.Process, client: httpx.AsyncClient, environment: dict[str, str], clerk: Any
) -> None:
    """Clients as a load balancer is one: kept-alive connections, and elsewhere when a gateway takes no more."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        other = str(free.getsockname()[1])
    successor = await start({**environment, "PORT": other})
    bearer, over = clerk.bearer(azp="https://app.example"), asyncio.Event()
    answered = {environment["PORT"]: 0, other: 0}

    async def load() -> None:
        port = environment["PORT"]
        async with httpx.AsyncClient(timeout=20, headers=bearer) as caller:
            while not over.is_set():
                try:
                    answer = await caller.post(f"http://127.0.0.1:{port}{ECHO}", content=b"x")
                except httpx.ConnectError:  # refused: nothing was sent
                    port = other
                    continue
                assert answer.status_code in (200, 429)
                answered[port] += 1

    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{other}") as second:
            await ready(second)
        loads = [asyncio.create_task(load()) for _ in range(8)]
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.headers["Connection"]) == (503, "close")
        await stopped(process)
        await asyncio.sleep(0.3)
        over.set()
        await asyncio.gather(*loads)
        assert all(answered.values())
    finally:
        successor.kill()
        await successor.communicate()


async def test_each_request_is_logged_once_by_template_without_path_query_or_token(
    process: asyncio.subprocess.Process, client: httpx.AsyncClient, clerk: Any
) -> None:
    token = clerk.token()
    target = "/api/v1/patients/org_north/patients/Jane-Roe?search=Jane"
    await client.get(target, headers={"Authorization": f"Bearer {token}"})
    process.send_signal(signal.SIGTERM)
    printed, problems = await stopped(process)
    (line,) = [line for line in map(json.loads, printed.splitlines()) if line["event"] == "request"]
    assert (line["route"], line["method"], line["status"]) == ("/api/v1/patients/{organization_id}/*", "GET", 200)
    assert (line["organization_id"], line["outcome"], line["service"]) == ("org_north", "complete", "gateway")
    assert "dropped" not in line
    assert "Jane" not in printed + problems
    assert token not in printed + problems


@pytest.mark.usefixtures("process")
async def test_what_has_not_happened_yet_is_counted_as_zero(client: httpx.AsyncClient) -> None:
    lines = (await client.get("/metrics")).text.splitlines()
    for name in (
        'tokens_total{outcome="refused"}',
        'memberships_total{outcome="failed"}',
        'jwks_fetches_total{outcome="failed"}',
        'rate_limited_total{tier="admin"}',
        'malformed_total{status="400"}',
    ):
        assert f"routiq_gateway_{name} 0.0" in lines


async def test_a_taken_port_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        process = await start(environment)
        printed, problems = await process.communicate()
    assert process.returncode not in (0, None)
    assert environment["PORT"].encode() in printed + problems
    assert b"Traceback" not in printed + problems


async def test_missing_settings_are_named_and_never_shown(environment: dict[str, str]) -> None:
    del environment["CLERK_ISSUER"]
    process = await start({**environment, "IDENTITY_KEY": "too-short"})
    _printed, problems = await process.communicate()
    assert process.returncode == 2
    assert b"CLERK_ISSUER" in problems
    assert b"IDENTITY_KEY" in problems
    assert b"too-short" not in problems
    assert b"Traceback" not in problems
