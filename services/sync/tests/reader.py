"""A clinic with its sync service and one who hears what it announces, each run driven by hand to its end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from services.sync.tests.changing_cliniko import ChangingCliniko
from sqlalchemy import text

from chassis.database import Database
from contracts.events import Batch, RecordsRemoved, SyncMode
from contracts.routes import announced_by, confirmed_by
from sync import handlers
from sync.adapters.accounts import Accounts
from sync.adapters.runs import claim
from sync.adapters.vault import Vault
from sync.domain.run import Run
from sync.entrypoints.transactions import transactions_of
from sync.handlers.pull import Pull

KEY = "MS0-changing-clinic-au4"
EVENTS = {route.key: route.event for route in announced_by("sync")}
RECORDS = {
    "PatientsSynced": ("patients", "cliniko_patient_id"),
    "AppointmentsSynced": ("appointments", "cliniko_appointment_id"),
    "AppointmentTypesSynced": ("types", "appointment_type_id"),
    "PractitionersSynced": ("practitioners", "practitioner_id"),
}


@dataclass
class Reader:
    """Hears every event once, keeps the newest state of each record, and sends the receipts."""

    cliniko: ChangingCliniko
    database: Database
    accounts: Accounts
    vault: Vault
    organization_id: str = "org_changing"
    states: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    """By kind and id: the sequence, and the record; None once it was removed."""
    taps: list[Callable[[list[tuple[str, bytes]]], Awaitable[None]]] = field(default_factory=list)
    """Others who are handed all that is announced."""
    heard: int = 0
    """How many record events there were since `sync` last began."""

    async def connect(self) -> None:
        async with transactions_of(self.database)(self.organization_id) as store:
            await handlers.store_key(KEY, None, store, self.vault)

    async def sync(self, mode: SyncMode = "comprehensive", *, confirm_removals: bool = False) -> Run:
        """A run from its trigger to its completion."""
        self.heard = 0
        sync_id = await self.start(mode, confirm_removals=confirm_removals)
        await self.pull(sync_id)
        await self.listen()
        await self.listen()  # the end of the run is announced after the last receipt
        run = await self.run(sync_id)
        assert run.status == "completed", (run.status, run.failure)
        return run

    async def start(self, mode: SyncMode = "comprehensive", *, confirm_removals: bool = False) -> str:
        async with transactions_of(self.database)(self.organization_id) as store:
            run, started = await handlers.start_sync(mode, None, store, confirm_removals=confirm_removals)
        assert started
        return run.sync_id

    async def pull(self, sync_id: str) -> None:
        """What a worker does with the run."""
        worker = uuid4()
        async with self.database.transaction() as connection:
            assert await claim(connection, worker)
        await Pull(
            await self.run(sync_id), worker, self.accounts.open(KEY), transactions_of(self.database)
        ).everything()

    async def run(self, sync_id: str) -> Run:
        async with transactions_of(self.database)(self.organization_id) as store:
            run = await store.runs.get(sync_id)
        assert run is not None
        return run

    async def listen(self, *, confirming: bool = True) -> None:
        """Take what is in the outbox, in the order in which it was put there."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(text("DELETE FROM outbox RETURNING id, routing_key, body"))
            letters = [(key, body) for _, key, body in sorted(rows)]
        for tap in self.taps:
            await tap(letters)
        for routing_key, body in letters:
            event = EVENTS[routing_key].model_validate_json(body)
            self._keep(event)
            if confirming and isinstance(event, Batch) and event.sync_id:
                async with transactions_of(self.database)(self.organization_id) as store:
                    for consumer in confirmed_by(type(event)):
                        await handlers.confirm_batches(event.sync_id, [event.event_id], consumer, store)

    def _keep(self, event: Any) -> None:
        if isinstance(event, RecordsRemoved):
            self.heard += 1
            for kind in ("patients", "appointments"):
                for removal in getattr(event, kind):
                    self._put(kind, removal.cliniko_id, removal.sequence, None)
        elif type(event).__name__ in RECORDS:
            self.heard += 1
            kind, key = RECORDS[type(event).__name__]
            for record in event.records:
                self._put(kind, getattr(record, key), record.sequence, record)

    def _put(self, kind: str, cliniko_id: str, sequence: int, record: Any) -> None:
        known, _ = self.states.get((kind, cliniko_id), (-1, None))
        if sequence > known:
            self.states[kind, cliniko_id] = (sequence, record)

    def knows(self, kind: str) -> dict[str, Any]:
        """What is there by now, by id."""
        return {one: record for (of, one), (_, record) in self.states.items() if of == kind and record is not None}


def shown(cliniko: ChangingCliniko, *, path: str) -> dict[str, Any]:
    """What Cliniko itself holds, by id, in the columns that tests change."""
    return {str(row_id): _essence(row) for row_id, row in cliniko.lists[path].items()}


def _essence(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row.get("first_name"), *(bool(row.get(mark)) for mark in ("archived_at", "cancelled_at", "deleted_at")))


def known(reader: Reader, kind: str) -> dict[str, Any]:
    """The same of what the reader has heard."""
    return {one: _essence(record.model_dump()) for one, record in reader.knows(kind).items()}


def same(reader: Reader) -> bool:
    cliniko = reader.cliniko
    appointments = shown(cliniko, path="individual_appointments")
    return (
        known(reader, "patients") == shown(cliniko, path="patients") and known(reader, "appointments") == appointments
    )


def fill(cliniko: ChangingCliniko, patients: int = 250, each: int = 1) -> list[int]:
    """A clinic that has been at work for a while."""
    ids = []
    for _ in range(patients):
        ids.append(cliniko.add_patient())
        for _ in range(each):
            cliniko.add_appointment(ids[-1])
        cliniko.pass_time(61)
    cliniko.pass_time(3600)
    return ids


@dataclass
class Class:
    """A group of two, in a clinic that also has individual appointments."""

    group: int
    attendees: list[int]


def fill_with_a_class(cliniko: ChangingCliniko) -> Class:
    ada, zoe, *_ = fill(cliniko, 15)
    group = cliniko.add_group()
    attendees = [cliniko.add_attendee(group, ada), cliniko.add_attendee(group, zoe)]
    cliniko.pass_time(3600)
    return Class(group, attendees)
