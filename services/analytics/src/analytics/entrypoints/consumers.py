"""Events that reach analytics."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from analytics import handlers
from analytics.adapters.store import Store
from chassis.consumers import Consumers
from contracts.events import AppointmentsSynced, ConnectionChanged, PatientsSynced, SyncRunChanged

consumers = Consumers("analytics")


@consumers.on(PatientsSynced)
async def on_patients_synced(event: PatientsSynced, connection: AsyncConnection) -> None:
    await handlers.record_patients(event, Store(connection))


@consumers.on(AppointmentsSynced)
async def on_appointments_synced(event: AppointmentsSynced, connection: AsyncConnection) -> None:
    await handlers.record_appointments(event, Store(connection))


@consumers.on(SyncRunChanged)
async def on_sync_run_changed(event: SyncRunChanged, connection: AsyncConnection) -> None:
    await handlers.record_run(event, Store(connection), datetime.now(UTC))


@consumers.on(ConnectionChanged)
async def on_connection_changed(event: ConnectionChanged, connection: AsyncConnection) -> None:
    await handlers.record_connection(event, Store(connection))
