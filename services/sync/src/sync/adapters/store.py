"""Everything a use case keeps, in one transaction of one organization."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import outbox
from contracts.base import Event
from sync.adapters.checkpoints import Checkpoints
from sync.adapters.connections import Connections
from sync.adapters.history import History
from sync.adapters.holdings import Holdings
from sync.adapters.landing import Landing
from sync.adapters.runs import Runs
from sync.adapters.schedule import Schedule


class Store:
    """The rooms of the sync schema; `announce` writes into the same transaction's outbox."""

    def __init__(self, connection: AsyncConnection, organization_id: str, now: datetime) -> None:
        self._connection = connection
        self.organization_id = organization_id
        self.now = now
        self.connections = Connections(connection, organization_id)
        self.runs = Runs(connection, organization_id)
        self.landing = Landing(connection, organization_id)
        self.schedule = Schedule(connection, organization_id)
        self.history = History(connection, organization_id)
        self.holdings = Holdings(connection, organization_id)
        self.checkpoints = Checkpoints(connection, organization_id)

    async def announce(self, *events: Event) -> None:
        """Say it to the other services when this transaction commits."""
        await outbox.announce(self._connection, "sync", events)


Transactions = Callable[[str], AbstractAsyncContextManager[Store]]
"""Opens a transaction of an organization; leaving it commits."""
