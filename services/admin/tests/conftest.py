"""The service with its real database; events are handed to its consumers as a broker would."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from admin.entrypoints.consumers import consumers
from admin.entrypoints.http import router
from chassis.database import Database
from chassis.identity import HEADER, Caller, sign
from chassis.service import assemble
from chassis.settings import ServiceSettings
from contracts.base import Event
from contracts.events import ConnectionChanged, FiguresCounted, SyncRunChanged

KEY = "a key that only the gateway and the services know"


class Admin:
    """What a test does to the service and asks of it."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.database: Database = app.state.database

    async def receive(self, *events: Event) -> None:
        """Deliver `events` one after another."""
        for event in events:
            (subscription,) = (s for s in consumers.subscriptions if s.event is type(event))
            await consumers.handle(subscription, event.model_dump_json().encode(), self.database)

    async def get(self, path: str, *, operator: bool = True) -> httpx.Response:
        """Ask as the gateway does, for an administrator of an organization."""
        request_id = "00000000-0000-4000-8000-000000000001"
        caller = Caller("org_platform", "user_1", "admin", request_id, operator=operator)
        header = sign(caller, "admin", KEY.encode(), time.time())
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            return await client.get(path, headers={HEADER: header})


def connection(organization_id: str, *, revision: int = 1, connected: bool = True, valid: bool = True) -> Event:
    state = {"revision": revision, "connected": connected, "credentials_valid": valid}
    return ConnectionChanged.model_validate({"organization_id": organization_id, **state})


def figures(organization_id: str, total: int, active: int, **different: Any) -> Event:
    size = {"total_patients": total, "active_patients": active}
    return FiguresCounted.model_validate({"organization_id": organization_id, **size, **different})


def run(organization_id: str, status: str, **different: Any) -> Event:
    state = {"sync_id": "sync_1", "revision": 1, "mode": "basic", "full_sweep": False, "status": status}
    times = {"started_at": "2025-06-30T12:00:00Z"}
    return SyncRunChanged.model_validate({"organization_id": organization_id, **state, **times, **different})


def admin_at(database_url: str) -> Admin:
    """The service on this database, which need not be there."""
    settings = {"database_url": database_url, "amqp_url": "amqp://127.0.0.1:1", "identity_key": KEY}
    return Admin(assemble(ServiceSettings.model_validate(settings), consumers, router))


@pytest.fixture
async def admin(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Admin]:
    service = admin_at(await new_database("admin"))
    yield service
    await service.database.close()
