"""Events that reach admin."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from admin import handlers
from admin.adapters.reads import Reads
from admin.adapters.store import Organizations
from chassis.consumers import Consumers
from contracts.events import ConnectionChanged, FiguresCounted, PatientRecordsRead, SyncRunChanged

consumers = Consumers("admin")


@consumers.on(ConnectionChanged)
async def on_connection_changed(event: ConnectionChanged, connection: AsyncConnection) -> None:
    await handlers.record_connection(event, Organizations(connection))


@consumers.on(SyncRunChanged)
async def on_sync_run_changed(event: SyncRunChanged, connection: AsyncConnection) -> None:
    await handlers.record_run(event, Organizations(connection))


@consumers.on(FiguresCounted)
async def on_figures_counted(event: FiguresCounted, connection: AsyncConnection) -> None:
    await handlers.record_figures(event, Organizations(connection))


@consumers.on_all(PatientRecordsRead)
async def on_patient_records_read(events: Sequence[PatientRecordsRead], connection: AsyncConnection) -> None:
    await handlers.record_reads(events, Reads(connection))
