"""Two processes of the service on one database, as a deployment runs them."""

import asyncio
import base64
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chassis.database import Database
from chassis.identity import HEADER, Caller, sign
from routiq.ports import free_port
from routiq.probes import http_answers
from routiq.processes import Child, Program, running

CLINIC = "org_test_clinic"
CANARY = "MS0-test-clinic-au4"
IDENTITY_KEY = "k" * 32
OLD, NEW = (f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("old", "new"))


@dataclass(frozen=True)
class Deployment:
    """Starts replicas; their logs are in `logs`."""

    environment: dict[str, str]
    logs: Path
    database: Database
    children: dict[str, Child] = field(default_factory=dict)

    @asynccontextmanager
    async def replica(self, name: str, keys: str = OLD) -> AsyncIterator[httpx.AsyncClient]:
        address = f"http://127.0.0.1:{(port := free_port())}"
        program = Program(
            name=name,
            command=(sys.executable, "-m", "sync"),
            environment={**self.environment, "PORT": str(port), "CREDENTIALS_KEYS": keys},
            port=port,
            ready=partial(http_answers, f"{address}/health/live"),
        )
        async with running(program, logs=self.logs) as (self.children[name],):
            async with httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=20) as http:
                yield http

    async def rotate(self, keys: str) -> tuple[int | None, str]:
        """`python -m sync rotate-keys`: its status and what it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sync", "rotate-keys"),
            env={**self.environment, "CREDENTIALS_KEYS": keys},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    def logged(self) -> str:
        return "".join(log.read_text() for log in self.logs.glob("*.log"))

    async def beats(self) -> int:
        async with self.database.transaction() as connection:
            return int(await connection.scalar(text("SELECT count(*) FROM beats")) or 0)

    async def holder(self) -> UUID | None:
        """The worker that has the run."""
        async with self.database.transaction(CLINIC) as connection:
            holder: UUID | None = await connection.scalar(text("SELECT worker FROM runs WHERE status = 'running'"))
        return holder


@pytest.fixture
async def deployment(
    new_database: Callable[[str], Awaitable[str]], cliniko: Any, tmp_path: Path
) -> AsyncIterator[Deployment]:
    url = await new_database("sync")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept,
        "DATABASE_URL": url,
        "AMQP_URL": f"amqp://127.0.0.1:{free_port()}/",  # nobody there: nothing here waits for a receipt
        "IDENTITY_KEY": IDENTITY_KEY,
        "CLINIKO_API_URL": cliniko.template,
        "SCHEDULE_ENABLED": "false",
    }
    database = Database(url, "sync", connections=2)
    yield Deployment(environment, tmp_path, database)
    await database.close()


def signed() -> dict[str, str]:
    caller = Caller(CLINIC, "user_1", "admin", "r" * 32)
    return {HEADER: sign(caller, "sync", IDENTITY_KEY.encode(), time.time())}


async def connect(replica: httpx.AsyncClient) -> None:
    answer = await replica.put(f"/cliniko/connection/{CLINIC}", json={"api_key": CANARY}, headers=signed())
    assert answer.status_code == 200, answer.text


async def test_a_run_started_at_one_replica_is_followed_and_cancelled_at_the_other(
    deployment: Deployment, cliniko: Any
) -> None:
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(deployment.replica(name)) for name in ("one", "two")]
        await connect(one)
        await cliniko.settings(latency_ms=400)
        sync_id = (await one.post("/sync/trigger", headers=signed())).json()["sync_id"]
        seen: list[dict[str, Any]] = []
        async with two.stream("GET", f"/sync/progress/{sync_id}/stream", headers=signed()) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    seen.append(json.loads(line.removeprefix("data: ")))
                    if seen[-1]["records_processed"] and seen[-1]["status"] == "running":
                        cancelled = await two.post(f"/sync/cancel/{sync_id}", headers=signed())
                        assert cancelled.json()["status"] == "cancelled"
        assert seen[-1]["status"] == "cancelled"
        assert seen[-1]["records_processed"] < seen[-1]["records_total"]
        histories = [(await at.get(f"/sync/history/{CLINIC}", headers=signed())).json() for at in (one, two)]
        assert histories[0] == histories[1]
        assert histories[0]["recent_syncs"][0]["records_processed"] == seen[-1]["records_processed"]


async def test_a_replica_that_stops_ends_its_streams_and_releases_its_runs_at_once(
    deployment: Deployment, cliniko: Any
) -> None:
    await cliniko.settings(latency_ms=3000)
    async with AsyncExitStack() as stack:
        async with deployment.replica("one") as one:
            await connect(one)
            sync_id = (await one.post("/sync/trigger", headers=signed())).json()["sync_id"]
            stream = await stack.enter_async_context(
                one.stream("GET", f"/sync/progress/{sync_id}/stream", headers=signed())
            )
            lines = stream.aiter_lines()
            seen = [await anext(lines)]
            while not any('"status":"running"' in line for line in seen):
                seen.append(await anext(lines))
        async with deployment.database.transaction(CLINIC) as connection:
            held = text("SELECT worker FROM runs WHERE status = 'running'")
            assert (await connection.execute(held)).scalars().all() == [None]  # not so when it had to be killed


async def test_the_run_of_a_replica_that_was_killed_is_taken_over_before_its_lease_ends(
    deployment: Deployment, cliniko: Any
) -> None:
    await cliniko.settings(latency_ms=3000)
    async with deployment.replica("one") as one:
        await connect(one)
        await one.post("/sync/trigger", headers=signed())
        while not (holder := await deployment.holder()) or not await deployment.beats():
            await asyncio.sleep(0.1)
        async with deployment.replica("two"):
            await asyncio.sleep(6)  # it has looked for work
            assert await deployment.holder() == holder
            await deployment.children["one"].kill()
            async with asyncio.timeout(15):
                while await deployment.holder() in (holder, None):
                    await asyncio.sleep(0.1)


async def test_keys_are_rotated_while_replicas_run_and_only_once_all_have_the_new_one(deployment: Deployment) -> None:
    async with deployment.replica("one", OLD) as one:
        await connect(one)
        while not await deployment.beats():
            await asyncio.sleep(0.1)
        status, said = await deployment.rotate(f"{NEW},{OLD}")
        assert (status, json.loads(said)["refused"]) == (2, "replicas_without_key")
    assert await deployment.beats() == 0
    async with deployment.replica("two", f"{NEW},{OLD}") as two:
        while not await deployment.beats():
            await asyncio.sleep(0.1)
        status, said = await deployment.rotate(f"{NEW},{OLD}")
        assert status == 0, said
        assert json.loads(said.splitlines()[-1]) == {"key_id": "new", "resealed": 1, "unreadable": 0, "total": 1}
        tested = (await two.get(f"/cliniko/test-connection/{CLINIC}", headers=signed())).json()
        assert tested["success"]
    async with deployment.replica("three", NEW) as three:
        assert (await three.get(f"/cliniko/test-connection/{CLINIC}", headers=signed())).json()["success"]


async def test_keys_that_are_none_end_the_start_with_one_line_that_quotes_nothing(deployment: Deployment) -> None:
    secret = base64.b64encode(b"x" * 31).decode()
    status, said = await deployment.rotate(f"a:{secret}")
    assert (status, said) == (1, "setting CREDENTIALS_KEYS: A key has 32 bytes.\n")


BODIES = (
    b'{"api_key": "MS0-test-clinic-au4"',
    b'{"api_key": ["MS0-test-clinic-au4"]}',
    b'{"api_key": {"MS0-test-clinic-au4": 1}}',
    b'{"api_key": "MS0-test-clinic-au4", "api_key": 7}',
    b'{"api_kee": "MS0-test-clinic-au4"}',
    b'"MS0-test-clinic-au4"',
    b"MS0-test-clinic-au4",
    b'{"api_key": "MS0-test-clinic-au4 \\n MS0-test-clinic-au4"}',
    '{"api_key": "MS0-test-clinic-au4é"}'.encode(),
    b'{"api_key": "' + 40 * b"MS0-test-clinic-au4" + b'"}',
    b'{"api_key": "x-MS0-test-clinic-au4"}',
    b'{"api_key": "MS0-test-clinic-au4-uk1"}',
)


@dataclass(frozen=True)
class Watched:
    """A replica of which every answer is kept."""

    http: httpx.AsyncClient
    cliniko: Any
    answers: list[str]

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = await self.http.request(method, path, **{"headers": signed(), **options})
        self.answers.append(f"{answer.headers} {answer.text}")
        return answer

    async def refused_keys(self) -> None:
        """Every way in which a key is not taken."""
        for body in BODIES:
            for content_type in ("application/json", "text/plain"):
                headers = {**signed(), "content-type": content_type}
                answer = await self.ask("PUT", f"/cliniko/connection/{CLINIC}", content=body, headers=headers)
                assert answer.status_code == 400
        for failure in (503, 401, 403):
            await self.cliniko.settings(fail_next={"status": failure, "times": 1})
            await self.ask("PUT", f"/cliniko/connection/{CLINIC}", json={"api_key": CANARY})
        await self.ask("PUT", f"/cliniko/connection/{CLINIC}", json={"api_key": CANARY}, headers={})

    async def used_key(self) -> None:
        """Everything that works with the stored key, and fails with it."""
        await connect(self.http)
        for failure in (401, 403, 503):
            await self.cliniko.settings(fail_next={"status": failure, "times": 1})
            await self.ask("GET", f"/cliniko/test-connection/{CLINIC}")
        await self.cliniko.settings(fail_next={"status": 401, "times": 1})
        sync_id = (await self.ask("POST", "/sync/trigger")).json()["sync_id"]
        while (await self.ask("GET", f"/sync/progress/{sync_id}")).json()["status"] != "failed":
            await asyncio.sleep(0.1)
        for path in ("cliniko/status", "cliniko/debug", "cliniko/test-connection", "sync/history", "sync/rejected"):
            assert (await self.ask("GET", f"/{path}/{CLINIC}")).status_code == 200
        await self.cliniko.settings(fail_next={"status": 429, "times": 1})
        for _ in range(2):
            await self.ask("GET", f"/cliniko/test-connection/{CLINIC}")


async def test_a_key_is_in_no_answer_log_event_or_row(deployment: Deployment, cliniko: Any) -> None:
    talkative = replace(deployment, environment={**deployment.environment, "LOG_LEVEL": "DEBUG"})
    async with talkative.replica("watched") as replica:
        watched = Watched(replica, cliniko, [])
        await watched.refused_keys()
        await watched.used_key()
        stored = await rows(deployment.database)
        await watched.ask("DELETE", f"/cliniko/connection/{CLINIC}")
    said = {"answers": " ".join(watched.answers), "logs": deployment.logged(), "rows": stored}
    assert all(len(text) > 1000 for text in said.values())
    basic = base64.b64encode(f"{CANARY}:".encode()).decode()
    assert [place for place, text in said.items() if CANARY in text or basic in text] == []


async def rows(database: Database) -> str:
    """Every row of the service as text, the events in its outbox as they travel."""
    tables = ("connections", "runs", "batches", "pages", "rejected", "schedule", "beats", "inbox")
    async with database.transaction(CLINIC) as connection:
        found = [str(row) for table in tables for row in await connection.execute(text(f"SELECT * FROM {table}"))]
        found += [row.body.decode() for row in await connection.execute(text("SELECT body FROM outbox"))]
    return "\n".join(found)
