"""An organization is gone for good."""

from sync.adapters.store import Store
from sync.handlers.connect import disconnect


async def depart(store: Store) -> None:
    """Forget its key and end its schedule; what has landed stays, for the law may want it kept."""
    await disconnect(None, store)
    await store.schedule.end()
