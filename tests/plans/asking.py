"""Everything a service can be asked and told, and the statements it makes of it."""

import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
from fastapi import APIRouter, FastAPI
from sqlalchemy import event

from chassis.consumers import Consumers
from chassis.database import Database
from chassis.identity import HEADER, Caller, sign
from chassis.service import assemble
from chassis.settings import ServiceSettings
from contracts.examples import EXAMPLES
from patients.domain.patient import patient_id

KEY = "a key for tests that is long enough to sign with"
JSON = "application/json"
ASKED = {
    "search": "quinn",
    "limit": 5,
    "activity_limit": 5,
    "timeframe": "30d",
    "active": "all",
    "risk": "high",
}
"""A value for each query parameter but `cursor`: who adds one is told of it by a KeyError."""

Json = dict[str, Any]


class Statements:
    """By their text, with the parameters they were first executed with."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._engine = database._engine.sync_engine
        self.seen: dict[str, tuple[Any, ...]] = {}
        event.listen(self._engine, "before_cursor_execute", self._note)

    def stop(self) -> None:
        """Note no more."""
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if not statement.startswith("SET "):  # which has no plan
            self.seen.setdefault(statement, parameters)


class Service:
    """A service without its broker."""

    def __init__(self, app: FastAPI, consumers: Consumers, organization_id: str, patients: Iterable[str]) -> None:
        self.app, self.consumers, self.organization_id = app, consumers, organization_id
        self.database: Database = app.state.database
        self._patients = (str(patient_id(organization_id, one)) for one in patients)

    async def hears_everything(self) -> None:
        """One of each event it listens to, about this organization."""
        for subscription in self.consumers.subscriptions:
            (example,) = (one for one in EXAMPLES if type(one) is subscription.event)
            told = example.model_copy(update={"organization_id": self.organization_id, "event_id": uuid4()})
            await self.consumers.commit(subscription, [told], self.database)

    async def is_asked_everything(self) -> None:
        """Each of its routes, without parameters and with each of them."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            for path, method, names, forms in self._operations():
                answer = await self._ask(client, method, path, {})
                for form in forms:
                    await self._ask(client, method, path, {}, form)
                for name in names:
                    value = answer.json()["next_cursor"] if name == "cursor" else ASKED[name]
                    if value is not None:
                        await self._ask(client, method, path, {name: value})

    def _operations(self) -> Iterator[tuple[str, str, list[str], list[str]]]:
        """Path, method, query parameters and other forms of the answer; a patient once erased is asked for no more."""
        for template, methods in self.app.openapi()["paths"].items():
            if not template.startswith("/api/"):
                continue
            values = {"organization_id": self.organization_id, "appointment_type": "Physiotherapy"}
            for method, operation in methods.items():
                path = template.format(patient_id=next(self._patients), **values)
                names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
                yield path, method, names, [form for form in operation["responses"]["200"]["content"] if form != JSON]

    async def _ask(
        self, client: httpx.AsyncClient, method: str, path: str, parameters: Json, form: str = JSON
    ) -> httpx.Response:
        caller = Caller(self.organization_id, "user_1", "admin", str(uuid4()))
        headers = {"accept": form, HEADER: sign(caller, self.consumers.service, KEY.encode(), time.time())}
        response = await client.request(method, path, params=parameters, headers=headers)
        assert response.is_success, (path, response.text)
        return response


@asynccontextmanager
async def opened(
    url: str, consumers: Consumers, router: APIRouter, organization_id: str, patients: Iterable[str]
) -> AsyncIterator[Service]:
    """The service on that database, asked as an administrator of that organization with these patients."""
    settings = {"database_url": url, "amqp_url": "amqp://127.0.0.1:1", "identity_key": KEY}
    app = assemble(ServiceSettings.model_validate(settings), consumers, router)
    service = Service(app, consumers, organization_id, patients)
    yield service
    await service.database.close()
