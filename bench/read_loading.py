"""Clinics into the tables of both services and of the baseline, set-wise and as their owner."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

import read_copies as copies
from analytics.entrypoints.consumers import consumers as of_analytics
from chassis.consumers import Consumers
from chassis.database import Database, engine_url
from contracts.base import Event
from contracts.events import AppointmentTypesSynced, ConnectionChanged, PractitionersSynced, SyncRunChanged
from contracts.records import AppointmentTypeRecord, PractitionerRecord
from patients.adapters import documents
from patients.adapters.tenant import Tenant
from patients.domain.patient import Patient
from patients.entrypoints.consumers import consumers as of_patients
from read_baseline_tables import Base
from read_clinics import PRACTITIONERS, TYPES, Clinic
from read_rows import APPOINTMENTS, patients

AT_ONCE = 3
"""Clinics: PostgreSQL and this process have two cores' work."""
UNHURRIED = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "'4GB'",
    "autovacuum": "off",
    "jit": "off",
}
"""While loading; to compile what makes the rows of a clinic takes longer than to make them."""
MARK_ALL = text("""
    INSERT INTO stale_documents (organization_id, cliniko_patient_id)
    SELECT organization_id, cliniko_patient_id FROM patients WHERE organization_id = :organization_id
""")


@dataclass(frozen=True)
class Loader:
    """The tables' owner, and each service's own role."""

    owner: asyncpg.Pool
    patients: Database
    analytics: Database
    now: datetime
    """To which all times of the clinics are relative, on the hour."""
    with_baseline: bool

    async def load(self, clinics: Sequence[Clinic], loaded: Callable[[Clinic], None]) -> None:
        """All of them, without waiting for the disk. `loaded` is told each clinic twice: once filled, once finished."""
        await self._settings("SET {} = {}")
        for work in (self._fill, self._finish):
            await self._for_each(clinics, work, loaded)
            await self.owner.execute("VACUUM (ANALYZE)")  # what a day of autovacuum would have done
        await self._settings("RESET {}")
        for statement in ("TRUNCATE patients.outbox, analytics.outbox", "CHECKPOINT"):
            await self.owner.execute(statement)

    async def _for_each(
        self, clinics: Sequence[Clinic], work: Callable[[Clinic], Awaitable[None]], done: Callable[[Clinic], None]
    ) -> None:
        waiting = iter(sorted(clinics, key=lambda clinic: -clinic.patients))

        async def some() -> None:
            for clinic in waiting:
                await work(clinic)
                done(clinic)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    async def _settings(self, change: str) -> None:
        for name, value in UNHURRIED.items():
            await self.owner.execute(f"ALTER SYSTEM {change.format(name, value)}")
        await self.owner.execute("SELECT pg_reload_conf()")

    async def _fill(self, clinic: Clinic) -> None:
        """Names and records."""
        await self._hear(self._names(clinic))
        await self._rows(clinic)
        for statement in copies.ANALYTICS:
            await self.owner.execute(statement, clinic.organization_id)

    async def _finish(self, clinic: Clinic) -> None:
        """What is made of records, once PostgreSQL knows how many there are."""
        await self._make_documents(clinic)
        await self._hear(self._closing(clinic))
        for statement in copies.BASELINE if self.with_baseline else ():
            await self.owner.execute(statement, clinic.organization_id, clinic.number)

    async def _rows(self, clinic: Clinic) -> None:
        columns = ["organization_id", *(field.name for field in fields(Patient))]
        async with self.owner.acquire() as connection:
            await connection.copy_records_to_table(
                "patients", schema_name="patients", columns=columns, records=patients(clinic, self.now)
            )
            await connection.execute(APPOINTMENTS, clinic.organization_id, clinic.number, clinic.patients, self.now)

    async def _make_documents(self, clinic: Clinic) -> None:
        """The service makes them itself of what is marked."""
        async with self.patients.transaction(clinic.organization_id) as connection:
            tenant = Tenant(connection, clinic.organization_id)
            await tenant.execute(MARK_ALL)
            await documents.refresh(tenant, datetime.now(UTC))

    def _names(self, clinic: Clinic) -> Sequence[Event]:
        common = {"created_at": self.now, "updated_at": self.now, "sequence": 1}
        types = [
            AppointmentTypeRecord.model_validate({**common, "appointment_type_id": str(number), "name": name})
            for number, name in enumerate(TYPES, start=1)
        ]
        practitioners = [
            PractitionerRecord.model_validate({**common, "practitioner_id": str(number), "name": name})
            for number, name in enumerate(PRACTITIONERS, start=1)
        ]
        whose = {"organization_id": clinic.organization_id, "sync_id": None}
        return (
            AppointmentTypesSynced.model_validate({**whose, "records": types}),
            PractitionersSynced.model_validate({**whose, "records": practitioners}),
        )

    def _closing(self, clinic: Clinic) -> Sequence[Event]:
        """A run that has just read the whole clinic."""
        whose = {"organization_id": clinic.organization_id, "revision": 1}
        return (
            ConnectionChanged.model_validate({**whose, "connected": True, "credentials_valid": True}),
            closing_run(clinic.organization_id, clinic.patients, self.now),
        )

    async def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            await hear(of_patients, event, self.patients)
            await hear(of_analytics, event, self.analytics)


def closing_run(organization_id: str, patients: int, now: datetime) -> SyncRunChanged:
    """The last event of a run."""
    return SyncRunChanged.model_validate(
        {
            "organization_id": organization_id,
            "sync_id": f"sync_{organization_id}_20250630_120000",
            "revision": 2,
            "mode": "comprehensive",
            "status": "completed",
            "full_sweep": True,
            "started_at": now - timedelta(minutes=6),
            "completed_at": now,
            "patients_reported": patients,
        }
    )


async def hear(consumers: Consumers, event: Event, database: Database) -> None:
    """As it would come from the broker; of no effect where the service does not listen to it."""
    for subscription in consumers.subscriptions:
        if subscription.event is type(event):
            await consumers.commit(subscription, [event], database)


@asynccontextmanager
async def loader(owner_url: str, patients: str, analytics: str, *, with_baseline: bool) -> AsyncIterator[Loader]:
    """The three addresses are of one migrated database."""
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(asyncpg.create_pool(owner_url, min_size=1, max_size=AT_ONCE + 1))
        databases = Database(patients, "patients"), Database(analytics, "analytics")
        for database in databases:
            stack.push_async_callback(database.close)
        if with_baseline:
            await _create_baseline(owner_url)
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        yield Loader(owner, *databases, now, with_baseline)


async def _create_baseline(owner_url: str) -> None:
    engine = create_async_engine(engine_url(owner_url))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA baseline"))
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
