"""Events that reach analytics."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from analytics import handlers
from analytics.adapters.store import Store
from chassis.consumers import Consumers
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    ConnectionChanged,
    PatientErased,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)

consumers = Consumers("analytics")


@consumers.on_all(PatientsSynced)
async def on_patients_synced(events: Sequence[PatientsSynced], connection: AsyncConnection) -> None:
    await handlers.record_patients(events, Store(connection))


@consumers.on_all(AppointmentsSynced)
async def on_appointments_synced(events: Sequence[AppointmentsSynced], connection: AsyncConnection) -> None:
    await handlers.record_appointments(events, Store(connection))


@consumers.on(AppointmentTypesSynced)
async def on_appointment_types_synced(event: AppointmentTypesSynced, connection: AsyncConnection) -> None:
    await handlers.record_appointment_types(event, Store(connection))


@consumers.on(PractitionersSynced)
async def on_practitioners_synced(event: PractitionersSynced, connection: AsyncConnection) -> None:
    await handlers.record_practitioners(event, Store(connection))


@consumers.on(RecordsRemoved)
async def on_records_removed(event: RecordsRemoved, connection: AsyncConnection) -> None:
    await handlers.remove_records(event, Store(connection))


@consumers.on(PatientErased)
async def on_patient_erased(event: PatientErased, connection: AsyncConnection) -> None:
    await handlers.erase_patient(event, Store(connection), datetime.now(UTC))


@consumers.on(SyncRunChanged)
async def on_sync_run_changed(event: SyncRunChanged, connection: AsyncConnection) -> None:
    await handlers.record_run(event, Store(connection), datetime.now(UTC))


@consumers.on(ConnectionChanged)
async def on_connection_changed(event: ConnectionChanged, connection: AsyncConnection) -> None:
    await handlers.record_connection(event, Store(connection))
