"""What the sync service hears: the receipts of those it sends records to."""

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.consumers import Consumers
from contracts.events import BatchApplied
from sync import handlers
from sync.adapters.store import Store

consumers = Consumers("sync")


@consumers.on(BatchApplied)
async def on_batch_applied(event: BatchApplied, connection: AsyncConnection) -> None:
    store = Store(connection, event.organization_id, event.occurred_at)
    await handlers.confirm_batch(event.sync_id, event.batch_id, event.consumer, store)
