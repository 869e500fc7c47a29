"""What the sync service hears: the receipts of those it sends records to, whom they have let go of for good, and what
admin says is to go."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.consumers import Consumers
from contracts.events import BatchApplied, CleanupRequested, OrganizationDeleted, PatientErased
from sync import handlers
from sync.adapters.store import Store

consumers = Consumers("sync")


@consumers.on_all(BatchApplied)
async def on_batch_applied(events: Sequence[BatchApplied], connection: AsyncConnection) -> None:
    store = Store(connection, events[0].organization_id, datetime.now(UTC))
    batches: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    for event in events:
        batches[event.sync_id, event.consumer] += (event.batch_id, *event.also)
    for (sync_id, consumer), batch_ids in sorted(batches.items()):
        await handlers.confirm_batches(sync_id, batch_ids, consumer, store)


@consumers.on(PatientErased)
async def on_patient_erased(event: PatientErased, connection: AsyncConnection) -> None:
    await handlers.erase_patient(event.cliniko_patient_id, Store(connection, event.organization_id, datetime.now(UTC)))


@consumers.on(CleanupRequested)
async def on_cleanup_requested(event: CleanupRequested, connection: AsyncConnection) -> None:
    await handlers.clean_up(event, Store(connection, event.organization_id, datetime.now(UTC)))


@consumers.on(OrganizationDeleted)
async def on_organization_deleted(event: OrganizationDeleted, connection: AsyncConnection) -> None:
    await handlers.depart(Store(connection, event.organization_id, datetime.now(UTC)))
