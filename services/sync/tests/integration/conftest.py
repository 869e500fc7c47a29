"""A clinic's life without Cliniko, at any hour: for tests of schedule, order and control."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from services.sync.tests.changing_cliniko import ChangingCliniko, served
from services.sync.tests.reader import Reader
from sqlalchemy import text

from chassis import answers
from chassis.database import Database
from chassis.identity import HEADER, Caller, Role, sign
from contracts.base import Event
from contracts.events import SyncMode
from sync import handlers
from sync.adapters.accounts import Accounts
from sync.adapters.runs import claim
from sync.adapters.vault import Vault
from sync.entrypoints.http import router
from sync.entrypoints.http.stream import Streams
from sync.entrypoints.scheduler import Scheduler
from sync.entrypoints.transactions import transactions_of

IDENTITY_KEY = b"k" * 32
SEAL = "test:" + "A" * 43 + "="
START = datetime(2031, 3, 1, 12, tzinfo=UTC)
FROM_HERE = text("""
    INSERT INTO cursors (organization_id, list, moment) VALUES (:organization_id, 'patients', :moment)
    ON CONFLICT DO NOTHING
""")
"""What a run that read everything leaves for an incremental one to go on from."""


@dataclass
class Control:
    """The service's use cases under a clock that the test turns."""

    database: Database
    vault: Any
    announced: Callable[[], Awaitable[list[Event]]]
    now: datetime = field(default=START)

    @property
    def transactions(self) -> Any:
        return transactions_of(self.database, lambda: self.now)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def scheduler(self, **options: Any) -> Scheduler:
        """Another replica's."""
        return Scheduler(uuid4(), self.database, self.vault.key_ids, clock=lambda: self.now, **options)

    async def connect(self, organization_id: str) -> None:
        async with self.transactions(organization_id) as store:
            await handlers.store_key(f"MS0-{organization_id}-au4", None, store, self.vault)

    async def start(self, organization_id: str, mode: SyncMode = "comprehensive", *, scheduled: bool = False) -> str:
        async with self.transactions(organization_id) as store:
            run, started = await handlers.start_sync(mode, None, store, scheduled=scheduled)
        assert started
        return str(run.sync_id)

    async def active(self, organization_id: str) -> Any:
        async with self.transactions(organization_id) as store:
            return await store.runs.active()

    async def run(self, organization_id: str, sync_id: str) -> Any:
        async with self.transactions(organization_id) as store:
            return await store.runs.get(sync_id)

    async def complete(self, organization_id: str) -> None:
        """End the active run well: claimed, landed, its end confirmed by both readers."""
        sync_id = (await self.active(organization_id)).sync_id
        async with self.database.transaction(organization_id) as connection:
            await connection.execute(FROM_HERE, {"organization_id": organization_id, "moment": self.now})
        async with self.database.transaction() as connection:
            await claim(connection, uuid4())
        async with self.transactions(organization_id) as store:
            await store.runs.change(sync_id, landed_at=self.now, status="running")
            await handlers.close_when_applied(sync_id, store)
        closing_id = (await self.run(organization_id, sync_id)).closing_id
        for consumer in ("patients", "analytics"):
            async with self.transactions(organization_id) as store:
                await handlers.confirm_batches(sync_id, [closing_id], consumer, store)
        assert (await self.run(organization_id, sync_id)).status == "completed"

    async def fail(self, organization_id: str) -> None:
        async with self.transactions(organization_id) as store:
            await handlers.fail((await store.runs.active()).sync_id, "Cliniko could not be reached.", store)

    async def next_run_at(self, organization_id: str) -> datetime:
        async with self.transactions(organization_id) as store:
            plan = await store.schedule.plan()
        moment: datetime = plan.next_run_at
        return moment


@pytest.fixture
def control(service: Any) -> Control:
    return Control(service.database, service.vault, service.announced)


@pytest.fixture
def app(service: Any, cliniko: Any) -> FastAPI:
    """The service's endpoints, without what goes on beside them."""
    app = FastAPI()
    app.state.service, app.state.identity_key = "sync", IDENTITY_KEY
    app.state.database, app.state.accounts, app.state.vault = service.database, service.accounts, service.vault
    app.state.streams, app.state.cliniko_api_url = Streams(), cliniko.template
    app.include_router(router)
    answers.install(app)
    return app


@dataclass(frozen=True)
class Api:
    """Asks as the gateway does, for a person of an organization."""

    http: httpx.AsyncClient
    organization_id: str = "org_test_clinic"

    def headers(self, role: Role = "admin", organization_id: str | None = None) -> dict[str, str]:
        caller = Caller(organization_id or self.organization_id, "user_1", role, "r" * 32)
        return {HEADER: sign(caller, "sync", IDENTITY_KEY, time.time())}

    async def __call__(
        self, method: str, path: str, *, role: Role = "admin", organization_id: str | None = None, **options: Any
    ) -> httpx.Response:
        headers = {**self.headers(role, organization_id), **options.pop("headers", {})}
        return await self.http.request(method, f"/api/v1/{path}", headers=headers, **options)

    async def connect(self, api_key: str = "MS0-test-clinic-au4") -> None:
        answer = await self("PUT", f"cliniko/connection/{self.organization_id}", json={"api_key": api_key})
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sync") as http:
        yield Api(http)


@pytest.fixture
async def reader(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Reader]:
    cliniko = ChangingCliniko()
    database = Database(await new_database("sync"), "sync")
    async with served(cliniko) as template:
        accounts = Accounts(template, "test@routiq.example", limit=1_000_000)
        reader = Reader(cliniko, database, accounts, Vault(SEAL))
        await reader.connect()
        yield reader
        await accounts.close()
    await database.close()
