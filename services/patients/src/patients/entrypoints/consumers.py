"""The events this service hears."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.consumers import Consumers
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)
from patients import handlers
from patients.adapters.tenant import Tenant

consumers = Consumers("patients")


@consumers.on_all(PatientsSynced)
async def on_patients_synced(events: Sequence[PatientsSynced], connection: AsyncConnection) -> None:
    await handlers.record_patients(events, Tenant(connection, events[0].organization_id))


@consumers.on_all(AppointmentsSynced)
async def on_appointments_synced(events: Sequence[AppointmentsSynced], connection: AsyncConnection) -> None:
    await handlers.record_appointments(events, Tenant(connection, events[0].organization_id))


@consumers.on(AppointmentTypesSynced)
async def on_appointment_types_synced(event: AppointmentTypesSynced, connection: AsyncConnection) -> None:
    await handlers.record_appointment_types(event, Tenant(connection, event.organization_id))


@consumers.on(PractitionersSynced)
async def on_practitioners_synced(event: PractitionersSynced, connection: AsyncConnection) -> None:
    await handlers.record_practitioners(event, Tenant(connection, event.organization_id))


@consumers.on(RecordsRemoved)
async def on_records_removed(event: RecordsRemoved, connection: AsyncConnection) -> None:
    await handlers.remove_records(event, Tenant(connection, event.organization_id), datetime.now(UTC))


@consumers.on(SyncRunChanged)
async def on_sync_run_changed(event: SyncRunChanged, connection: AsyncConnection) -> None:
    await handlers.record_run(event, Tenant(connection, event.organization_id), datetime.now(UTC))
