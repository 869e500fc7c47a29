import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from chassis.database import Database
from chassis.identity import Caller
from cliniko_emulator.accounts import Account
from cliniko_emulator.app import create_app
from contracts.base import Event
from contracts.events import Batch, BatchApplied
from contracts.routes import announced_by, confirmed_by, received_by
from sync.adapters.accounts import Accounts
from sync.adapters.vault import Vault
from sync.entrypoints.consumers import consumers
from sync.entrypoints.transactions import transactions_of
from sync.entrypoints.worker import Worker

ORGANIZATION = "org_test_clinic"
KEY = "MS0-test-clinic-au4"
SOMEBODY = Caller(ORGANIZATION, "user_1", "admin", "00000000-0000-4000-8000-000000000001")
EVENTS = {route.key: route.event for route in announced_by("sync")}


@dataclass(frozen=True)
class ClinikoServer:
    """The emulator, with one small clinic. `template` is what CLINIKO_API_URL would be."""

    http: httpx.AsyncClient
    template: str

    async def total(self, path: str, *filters: str) -> int:
        """How many rows Cliniko itself counts."""
        answer = await self.http.get(
            f"/au4/v1/{path}",
            params={"q[]": list(filters), "per_page": 1},
            auth=(KEY, ""),
            headers={"user-agent": "Test (test@routiq.example)"},
        )
        return int(answer.raise_for_status().json()["total_entries"])

    async def settings(self, **changes: Any) -> None:
        """Latency, limit, failures."""
        (await self.http.patch("/_control/settings", json=changes)).raise_for_status()


@pytest.fixture
async def cliniko() -> AsyncIterator[ClinikoServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app([Account(KEY, seed=7, patients=230)], rate_limit=100_000)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=address) as http:
        yield ClinikoServer(http, address + "/{shard}/v1")
    server.should_exit = True
    await serving


@dataclass(frozen=True)
class Service:
    """The sync service without a broker: the test reads its outbox and sends it receipts."""

    database: Database
    accounts: Accounts
    vault: Vault

    @property
    def transactions(self) -> Any:
        return transactions_of(self.database)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[asyncio.Task[None]]:
        """A worker at work."""
        task = asyncio.create_task(Worker(uuid4(), self.database, self.accounts, self.vault).work())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def announced(self) -> list[Event]:
        """Everything in the outbox, in order."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(text("SELECT routing_key, body FROM outbox ORDER BY id"))
            return [EVENTS[row.routing_key].model_validate_json(row.body) for row in rows]

    async def confirm(self, batch: Batch, *, by: str) -> None:
        """What a consumer's receipt does when it arrives."""
        route = next(r for r in received_by("sync") if r.producer == by)
        subscription = next(s for s in consumers.subscriptions if s.key == route.key)
        receipt = BatchApplied(
            organization_id=batch.organization_id, consumer=by, batch_id=batch.event_id, sync_id=str(batch.sync_id)
        )
        await consumers.handle(subscription, receipt.model_dump_json().encode(), self.database)

    async def confirm_everything(self) -> None:
        """Receipts for all that was announced so far, again for what had one."""
        for event in await self.announced():
            if isinstance(event, Batch):
                for consumer in confirmed_by(type(event)):
                    await self.confirm(event, by=consumer)

    async def until(self, condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.02)

    async def until_status(self, sync_id: str, status: str) -> None:
        """Wait until the run is there."""
        async with asyncio.timeout(30):
            while (now := await self.status(sync_id)) != status:
                assert now in ("queued", "running"), now
                await asyncio.sleep(0.02)

    async def run(self, sync_id: str) -> Any:
        async with self.transactions(ORGANIZATION) as store:
            return await store.runs.get(sync_id)

    async def status(self, sync_id: str) -> str:
        return str((await self.run(sync_id)).status)

    async def landed(self, sync_id: str) -> bool:
        return (await self.run(sync_id)).landed_at is not None


@pytest.fixture
async def service(new_database: Callable[[str], Awaitable[str]], cliniko: ClinikoServer) -> AsyncIterator[Service]:
    database = Database(await new_database("sync"), "sync")
    accounts = Accounts(cliniko.template, "test@routiq.example")
    vault = Vault(f"test:{base64.b64encode(bytes(32)).decode()}")
    yield Service(database, accounts, vault)
    await accounts.close()
    await database.close()
