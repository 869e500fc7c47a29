"""The stream of a run's progress, over real HTTP and from several replicas."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from sync.entrypoints.http.stream import Streams

CLINIC = "org_test_clinic"


@dataclass(frozen=True)
class Event:
    """One as a browser's EventSource understands it."""

    name: str
    id: str
    data: dict[str, Any]


async def events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in lines:
        if not line and "data" in fields:
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@asynccontextmanager
async def serving(app: FastAPI, api: Any) -> AsyncIterator[Any]:
    """The endpoints behind a real server: the one that tests use otherwise keeps an answer back until it is whole."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=address, timeout=20) as http:
            yield type(api)(http)
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def following(api: Any, sync_id: str, last_event_id: str | None = None) -> AsyncIterator[httpx.Response]:
    headers = api.headers() | ({"last-event-id": last_event_id} if last_event_id else {})
    async with api.http.stream("GET", f"/api/v1/sync/progress/{sync_id}/stream", headers=headers) as response:
        yield response


async def start(api: Any) -> str:
    await api.connect()
    return str((await api("POST", "sync/trigger")).json()["sync_id"])


async def finish(service: Any, sync_id: str) -> None:
    async with service.working():
        await service.until(lambda: service.landed(sync_id))
        await service.confirm_everything()
        await service.confirm_everything()
        await service.until_status(sync_id, "completed")


async def test_a_run_is_followed_to_its_end_and_the_progress_never_falls(
    app: FastAPI, service: Any, api: Any, cliniko: Any
) -> None:
    async with serving(app, api) as served:
        sync_id = await start(served)
        await cliniko.settings(latency_ms=200)
        async with following(served, sync_id) as response:
            finishing = asyncio.create_task(finish(service, sync_id))
            assert response.headers["content-type"].startswith("text/event-stream")
            seen = [event async for event in events(response.aiter_lines())]
        await finishing
    assert [event.name for event in seen[:-1]] == ["progress"] * (len(seen) - 1)
    assert (seen[-1].name, seen[-1].data["status"], seen[-1].data["progress_percentage"]) == ("end", "completed", 100)
    assert seen[0].data["status"] == "queued"
    assert len(seen) > 2
    shares = [event.data["progress_percentage"] for event in seen]
    assert shares == sorted(shares)
    assert len({event.id for event in seen}) == len(seen)


async def test_who_comes_back_is_told_what_changed_meanwhile_and_nothing_twice(
    app: FastAPI, service: Any, api: Any
) -> None:
    async with serving(app, api) as served:
        sync_id = await start(served)
        async with following(served, sync_id) as response:
            first = await anext(events(response.aiter_lines()))
        async with following(served, sync_id, first.id) as response:
            stream = events(response.aiter_lines())
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(1.5)
            assert not waiting.done()
            await served("POST", f"sync/cancel/{sync_id}")
            end = await waiting
            assert (end.name, end.data["status"]) == ("end", "cancelled")
            assert [event async for event in stream] == []
        async with following(served, sync_id) as response:
            assert [event async for event in events(response.aiter_lines())] == [end]
        async with following(served, sync_id, end.id) as response:
            assert response.status_code == 204  # an EventSource does not come back after that


async def test_while_nothing_changes_the_line_is_kept_alive_by_comments(app: FastAPI, api: Any) -> None:
    app.state.streams = Streams(heartbeat_seconds=0.1)
    async with serving(app, api) as served:
        sync_id = await start(served)
        async with following(served, sync_id) as response:
            comments = 0
            async for line in response.aiter_lines():
                comments += line.startswith(":")
                if comments == 3:
                    break


async def test_there_are_so_many_streams_and_a_closed_one_makes_room(app: FastAPI, api: Any) -> None:
    app.state.streams = Streams(most=2)
    async with serving(app, api) as served:
        sync_id = await start(served)
        async with following(served, sync_id) as one, following(served, sync_id) as two:
            begun = [response.aiter_lines() for response in (one, two)]
            for lines in begun:
                await anext(lines)
            async with following(served, sync_id) as refused:
                assert refused.status_code == 503
                assert "Service unavailable" in (await refused.aread()).decode()
        deadline = time.monotonic() + 10
        status = 503
        while status == 503 and time.monotonic() < deadline:
            async with following(served, sync_id) as again:
                status = again.status_code
            await asyncio.sleep(0.1)
        assert status == 200


@pytest.mark.parametrize("last_event_id", ["", "nonsense", "x" * 90])
async def test_an_id_that_is_none_of_ours_gets_the_present_state(app: FastAPI, api: Any, last_event_id: str) -> None:
    async with serving(app, api) as served:
        sync_id = await start(served)
        async with following(served, sync_id, last_event_id) as response:
            assert (await anext(events(response.aiter_lines()))).data["sync_id"] == sync_id
