"""Sync logs that are old go, because an operator wants it."""

from datetime import timedelta

from contracts.events import CleanupRequested, SyncLogsRemoved
from sync.adapters.store import Store


async def clean_up(event: CleanupRequested, store: Store) -> None:
    """Remove runs that were over so long before the request, and say how many."""
    removed = await store.history.forget(event.occurred_at - timedelta(days=event.days_old))
    if not removed:
        return
    await store.announce(
        SyncLogsRemoved(
            organization_id=store.organization_id,
            request_id=event.request_id,
            removed=removed,
            days_old=event.days_old,
            user_id=event.user_id,
            impersonator=event.impersonator,
        )
    )
