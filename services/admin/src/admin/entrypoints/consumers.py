"""Events that reach admin."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from admin import handlers
from admin.adapters.chain import Chain
from admin.adapters.dead_letter_redrives import Redrives
from admin.adapters.store import Organizations
from chassis.consumers import Consumers
from contracts.base import Event
from contracts.events import (
    AccessRefused,
    ConnectionChanged,
    FiguresCounted,
    PatientErased,
    PatientRecordsRead,
    RedriveSettled,
    ScheduleChanged,
    SyncLogsRemoved,
    SyncRunChanged,
)

consumers = Consumers("admin")


@consumers.on(ConnectionChanged)
async def on_connection_changed(event: ConnectionChanged, connection: AsyncConnection) -> None:
    await handlers.record_connection(event, Organizations(connection))
    await handlers.record_connection_change(event, _chain(event, connection))


@consumers.on(SyncRunChanged)
async def on_sync_run_changed(event: SyncRunChanged, connection: AsyncConnection) -> None:
    await handlers.record_run(event, Organizations(connection))
    await handlers.record_run_change(event, _chain(event, connection))


@consumers.on(ScheduleChanged)
async def on_schedule_changed(event: ScheduleChanged, connection: AsyncConnection) -> None:
    await handlers.record_schedule_change(event, _chain(event, connection))


@consumers.on(SyncLogsRemoved)
async def on_sync_logs_removed(event: SyncLogsRemoved, connection: AsyncConnection) -> None:
    await handlers.record_removed_logs(event, _chain(event, connection))


@consumers.on(FiguresCounted)
async def on_figures_counted(event: FiguresCounted, connection: AsyncConnection) -> None:
    await handlers.record_figures(event, Organizations(connection))


@consumers.on_all(PatientRecordsRead)
async def on_patient_records_read(events: Sequence[PatientRecordsRead], connection: AsyncConnection) -> None:
    await handlers.record_reads(events, _chain(events[0], connection))


@consumers.on_all(PatientErased)
async def on_patient_erased(events: Sequence[PatientErased], connection: AsyncConnection) -> None:
    await handlers.record_erasures(events, _chain(events[0], connection))


@consumers.on(AccessRefused)
async def on_access_refused(event: AccessRefused, connection: AsyncConnection) -> None:
    await Chain.within(connection, event.wanted_organization_id)  # so that it can be seen whether there is such a one
    organization_id = await handlers.chain_for_refusal(event, Organizations(connection))
    await handlers.record_refusal(event, await Chain.within(connection, organization_id))


@consumers.on(RedriveSettled)
async def on_redrive_settled(event: RedriveSettled, connection: AsyncConnection) -> None:
    await handlers.settle_redrive(event, Redrives(connection))


def _chain(event: Event, connection: AsyncConnection) -> Chain:
    return Chain(connection, event.organization_id)
