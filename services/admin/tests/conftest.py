"""The service with its real database; events are handed to its consumers as a broker would."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from admin.entrypoints.consumers import consumers
from admin.main import made_of
from admin.settings import Settings
from chassis.consumers import Subscription
from chassis.database import Database
from chassis.identity import HEADER, REQUEST_ID, Caller, sign
from contracts.base import Event
from contracts.events import (
    AccessRefused,
    ConnectionChanged,
    FiguresCounted,
    PatientErased,
    PatientRecordsRead,
    SyncRunChanged,
)

KEY = "a key that only the gateway and the services know"
SOME_REQUEST = "00000000-0000-4000-8000-000000000001"


class Admin:
    """What a test does to the service and asks of it."""

    def __init__(self, app: FastAPI, url: str) -> None:
        self.app = app
        self.url = url
        self.database: Database = app.state.database

    async def receive(self, *events: Event) -> None:
        """Deliver `events` one after another."""
        for event in events:
            await consumers.handle(_subscription(event), event.model_dump_json().encode(), self.database)

    async def receive_together(self, events: Sequence[Event]) -> None:
        """Deliver `events` of one kind and organization as a group that had gathered."""
        await consumers.commit(_subscription(events[0]), events, self.database)

    async def get(self, path: str, *, operator: bool = True, **query: str | int) -> httpx.Response:
        """Ask as the gateway does, for an administrator of an organization."""
        return await self._ask("GET", path, operator, query)

    async def post(self, path: str, *, operator: bool = True, **query: str | int) -> httpx.Response:
        return await self._ask("POST", path, operator, query)

    async def _ask(self, method: str, path: str, operator: bool, query: Mapping[str, str | int]) -> httpx.Response:
        caller = Caller("org_platform", "user_operator", "admin", operator=operator)
        headers = {HEADER: sign(caller, "admin", KEY.encode(), time.time()), REQUEST_ID: SOME_REQUEST}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            return await client.request(method, path, params=query, headers=headers)


def _subscription(event: Event) -> Subscription:
    (subscription,) = (s for s in consumers.subscriptions if s.event is type(event))
    return subscription


def connection(
    organization_id: str, *, revision: int = 1, connected: bool = True, valid: bool = True, **who: Any
) -> Event:
    state = {"revision": revision, "connected": connected, "credentials_valid": valid}
    return ConnectionChanged.model_validate({"organization_id": organization_id, **state, **who})


def figures(organization_id: str, total: int, active: int, **different: Any) -> Event:
    size = {"total_patients": total, "active_patients": active}
    return FiguresCounted.model_validate({"organization_id": organization_id, **size, **different})


def run(organization_id: str, status: str, **different: Any) -> Event:
    state = {"sync_id": "sync_1", "revision": 1, "mode": "basic", "full_sweep": False, "status": status}
    times = {"started_at": "2025-06-30T12:00:00Z"}
    return SyncRunChanged.model_validate({"organization_id": organization_id, **state, **times, **different})


def read(organization_id: str, *patients: UUID, **different: Any) -> PatientRecordsRead:
    who = {"user_id": "user_1", "role": "member", "impersonator": "user_2", "route": "/patients"}
    whom = {"patient_count": len(patients), "patient_ids": patients}
    return PatientRecordsRead.model_validate({"organization_id": organization_id, **who, **whom, **different})


def erasure(organization_id: str, patient: UUID) -> Event:
    whom = {"patient_id": patient, "cliniko_patient_id": "12345"}
    return PatientErased.model_validate({"organization_id": organization_id, **whom, "user_id": "user_3"})


def refusal(wanted: str, own: str, **different: Any) -> Event:
    who = {"user_id": "user_4", "wanted_organization_id": wanted, "reason": "other_organization"}
    what = {"method": "GET", "route": "/patients", "count": 3, "last_at": "2025-06-30T12:00:04Z"}
    return AccessRefused.model_validate({"organization_id": own, **who, **what, **different})


def admin_at(database_url: str, amqp_url: str = "amqp://127.0.0.1:1") -> Admin:
    """The service on this database and this broker, which need not be there."""
    settings = {"database_url": database_url, "amqp_url": amqp_url, "identity_key": KEY, "retry_delays": (1,)}
    return Admin(made_of(Settings.model_validate(settings)), database_url)


@pytest.fixture
async def admin(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Admin]:
    service = admin_at(await new_database("admin"))
    yield service
    await service.database.close()


@pytest.fixture
def owner_url(admin: Admin, postgres: Any) -> str:
    """The service's database, as its owner."""
    url: str = urlsplit(postgres.url)._replace(path=urlsplit(admin.url).path).geturl()
    return url


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database's owner, whom nothing binds."""
    connection = await asyncpg.connect(owner_url)
    await connection.execute("SET search_path = admin")
    yield connection
    await connection.close()
