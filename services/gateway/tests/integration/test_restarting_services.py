"""Services that are replaced while requests keep coming."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

PATH = "/api/v1/patients/org_north/patients"


def listener(port: int) -> socket.socket:
    """As a second one on the same port: the kernel spreads new connections, like a load balancer in front of two."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    return listening


@asynccontextmanager
async def replica(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    running = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await running


async def test_a_rolling_restart_of_a_service_loses_no_request(
    start_gateway: Any, clerk: Any, services: dict[str, Any]
) -> None:
    app, bearer, over = services["patients"].app(), clerk.bearer(), asyncio.Event()
    first = listener(0)
    port = first.getsockname()[1]
    statuses: list[int] = []

    async def load() -> None:
        while not over.is_set():
            statuses.append((await gateway.get(PATH, headers=bearer)).status_code)
            await asyncio.sleep(0.01)

    async with replica(app, listener(port)):
        async with replica(app, first):
            gateway = await start_gateway(patients_url=f"http://127.0.0.1:{port}")
            loads = [asyncio.create_task(load()) for _ in range(4)]
            await asyncio.sleep(0.4)
        for _ in range(2):
            async with replica(app, listener(port)):
                await asyncio.sleep(0.3)
        over.set()
        await asyncio.gather(*loads)
    assert len(statuses) > 50
    assert set(statuses) <= {200, 429}


async def test_a_service_that_comes_back_is_used_again(
    start_gateway: Any, clerk: Any, services: dict[str, Any]
) -> None:
    app, bearer, first = services["patients"].app(), clerk.bearer(), listener(0)
    port = first.getsockname()[1]
    async with replica(app, first):
        gateway = await start_gateway(patients_url=f"http://127.0.0.1:{port}")
        assert (await gateway.get(PATH, headers=bearer)).status_code == 200
    away = [(await gateway.get(PATH, headers=bearer)).status_code for _ in range(30)]
    assert set(away) == {503}
    async with replica(app, listener(port)), asyncio.timeout(5):
        while (await gateway.get(PATH, headers=bearer)).status_code != 200:
            await asyncio.sleep(0.1)
