"""The service with its real database; events are handed to its consumers as a broker would."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from analytics.adapters.store import Store
from analytics.entrypoints.consumers import consumers
from analytics.entrypoints.http import router
from analytics.entrypoints.shapes import Activity, Summary
from chassis.database import Database
from chassis.identity import HEADER, Caller, sign
from chassis.service import assemble
from chassis.settings import ServiceSettings
from contracts.base import Event

KEY = "a key that only the gateway and the services know"


class Analytics:
    """What a test does to the service and asks of it."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.database: Database = app.state.database

    async def receive(self, *events: Event) -> None:
        """Deliver `events` one after another."""
        for event in events:
            (subscription,) = (s for s in consumers.subscriptions if s.event is type(event))
            await consumers.handle(subscription, event.model_dump_json().encode(), self.database)

    async def summary(self, organization_id: str, now: datetime) -> dict[str, Any]:
        """The dashboard's figures as they read at `now`."""
        async with self.database.transaction(organization_id) as connection:
            figures = await Store(connection).figures(organization_id, now)
        return Summary.model_validate(figures).model_dump(mode="json")

    async def activity(self, organization_id: str, now: datetime, limit: int = 100) -> list[dict[str, Any]]:
        """The dashboard's activity as it reads at `now`."""
        async with self.database.transaction(organization_id) as connection:
            runs, _ = await Store(connection).activity(organization_id, limit, now)
        return [Activity.model_validate(run).model_dump(mode="json") for run in runs]

    async def get(
        self, path: str, caller_of: str, signed_for: str = "analytics", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask as the gateway does, for a member of the organization `caller_of`."""
        caller = Caller(caller_of, "user_1", "member", "00000000-0000-4000-8000-000000000001")
        header = sign(caller, signed_for, KEY.encode(), time.time())
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://analytics") as client:
            return await client.get(path, headers={**(headers or {}), HEADER: header})


@pytest.fixture
async def analytics(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Analytics]:
    settings = ServiceSettings.model_validate(
        {"database_url": await new_database("analytics"), "amqp_url": "amqp://127.0.0.1:1", "identity_key": KEY}
    )
    service = Analytics(assemble(settings, consumers, router))
    yield service
    await service.database.close()
