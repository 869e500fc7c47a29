"""A clinic to test with: its records go in as events, its lists come out as HTTP answers."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from secrets import token_hex
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from chassis.database import Database
from chassis.identity import HEADER, REQUEST_ID, Caller, Role, sign
from chassis.service import assemble
from chassis.settings import ServiceSettings
from contracts.base import Event
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)
from contracts.records import AppointmentRecord, AppointmentTypeRecord, PatientRecord, PractitionerRecord, Removal
from patients import handlers
from patients.adapters.tenant import Tenant
from patients.entrypoints.consumers import consumers
from patients.entrypoints.http import router
from patients.entrypoints.parameters import clock

KEY = "a key for tests that is long enough to sign with"
NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
Json = dict[str, Any]


@dataclass
class Clinic:
    """One organization. Records are as old as their `sequence` says; `now` is the time of every message and request."""

    client: httpx.AsyncClient
    app: FastAPI
    database: Database
    organization_id: str = field(default_factory=lambda: f"org_{token_hex(8)}")
    now: datetime = NOON
    user_id: str = "user_1"
    _sequence: "count[int]" = field(default_factory=lambda: count(1))

    def patient(self, number: int, **fields: Any) -> PatientRecord:
        return PatientRecord.model_validate({**self._version(), "cliniko_patient_id": str(number), **fields})

    def appointment(self, number: int, patient: int, starts_at: datetime, **fields: Any) -> AppointmentRecord:
        record = {"cliniko_appointment_id": str(number), "cliniko_patient_id": str(patient), "starts_at": starts_at}
        return AppointmentRecord.model_validate({**self._version(), **record, **fields})

    def type(self, number: int, name: str) -> AppointmentTypeRecord:
        return AppointmentTypeRecord.model_validate(
            {**self._version(), "appointment_type_id": str(number), "name": name}
        )

    def practitioner(self, number: int, name: str) -> PractitionerRecord:
        return PractitionerRecord.model_validate({**self._version(), "practitioner_id": str(number), "name": name})

    def run(self, completed_at: datetime | None, **fields: Any) -> SyncRunChanged:
        state = {"sync_id": "sync_1", "revision": 1, "mode": "comprehensive", "status": "completed"}
        sweep = {"full_sweep": True, "started_at": NOON - DAY, "completed_at": completed_at}
        return SyncRunChanged.model_validate({"organization_id": self.organization_id, **state, **sweep, **fields})

    def removed(self, *, patient: int | None = None, appointment: int | None = None) -> RecordsRemoved:
        removal = Removal(cliniko_id=str(patient or appointment), sequence=next(self._sequence))
        return RecordsRemoved(
            organization_id=self.organization_id,
            sync_id=None,
            patients=(removal,) if patient else (),
            appointments=(removal,) if appointment else (),
        )

    def page(self, *records: PatientRecord | AppointmentRecord | AppointmentTypeRecord | PractitionerRecord) -> Event:
        event = {
            PatientRecord: PatientsSynced,
            AppointmentRecord: AppointmentsSynced,
            AppointmentTypeRecord: AppointmentTypesSynced,
            PractitionerRecord: PractitionersSynced,
        }[type(records[0])]
        common = {"organization_id": self.organization_id, "occurred_at": self.now, "sync_id": None}
        return event.model_validate({**common, "records": records})

    async def hears(self, *events: Event) -> None:
        """Apply each event in a transaction of its own."""
        for event in events:
            async with self.database.transaction(self.organization_id) as connection:
                await apply(event, Tenant(connection, self.organization_id), self.now)

    async def get(self, path: str, **parameters: Any) -> Json:
        response = await self.request(f"/api/v1/patients/{self.organization_id}/{path}", **parameters)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    async def listed(self, **parameters: Any) -> list[Json]:
        patients: list[Json] = (await self.get("patients", **parameters))["patients"]
        return patients

    async def request(
        self, path: str, headers: Mapping[str, str] | None = None, /, **parameters: Any
    ) -> httpx.Response:
        return await self.client.get(path, params=parameters, headers={**self.signed(), **(headers or {})})

    async def read(self, path: str, headers: Mapping[str, str] | None = None, /, **parameters: Any) -> httpx.Response:
        """An address of this organization's, whatever the answer."""
        return await self.request(f"/api/v1/patients/{self.organization_id}/{path}", headers, **parameters)

    async def manage(self, method: str, path: str, role: Role = "admin") -> httpx.Response:
        """What an administrator may do."""
        return await self.client.request(method, path, headers=self.signed(role))

    def signed(self, role: Role = "member") -> dict[str, str]:
        """What the gateway adds for this clinic's person."""
        caller = Caller(self.organization_id, self.user_id, role)
        header = sign(caller, "patients", KEY.encode(), time.time())
        return {HEADER: header, REQUEST_ID: "request-1"}

    def _version(self) -> Json:
        sequence = next(self._sequence)
        landed = NOON - 90 * DAY + timedelta(seconds=sequence)
        return {"created_at": NOON - 400 * DAY, "updated_at": landed, "sequence": sequence}


async def apply(event: Event, tenant: Tenant, now: datetime) -> None:
    """What the consumers do, at a time of the test's choosing."""
    match event:
        case PatientsSynced():
            await handlers.record_patients([event], tenant)
        case AppointmentsSynced():
            await handlers.record_appointments([event], tenant)
        case AppointmentTypesSynced():
            await handlers.record_appointment_types(event, tenant)
        case PractitionersSynced():
            await handlers.record_practitioners(event, tenant)
        case RecordsRemoved():
            await handlers.remove_records(event, tenant, now)
        case SyncRunChanged():
            await handlers.record_run(event, tenant, now)
        case _:
            raise TypeError(type(event).__name__)


@asynccontextmanager
async def opened_clinic(database_url: str) -> AsyncIterator[Clinic]:
    """The service without its broker: what comes through it is handed to the handlers."""
    settings = ServiceSettings(
        identity_key=SecretStr(KEY), database_url=SecretStr(database_url), amqp_url=SecretStr("amqp://nowhere")
    )
    app = assemble(settings, consumers, router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://patients") as client:
        clinic = Clinic(client, app, app.state.database)
        app.dependency_overrides[clock] = lambda: clinic.now
        yield clinic
    await app.state.database.close()
