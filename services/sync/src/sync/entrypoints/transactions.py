"""Where the sync service's transactions begin and end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends

from chassis.database import Database, Transaction
from chassis.identity import Identified
from sync.adapters.store import Store, Transactions


def transactions_of(database: Database) -> Transactions:
    """For work that spans several transactions."""

    @asynccontextmanager
    async def transaction(organization_id: str) -> AsyncIterator[Store]:
        async with database.transaction(organization_id) as connection:
            yield Store(connection, organization_id, datetime.now(UTC))

    return transaction


async def store_of_request(connection: Transaction, caller: Identified) -> Store:
    """The store in the request's own transaction."""
    return Store(connection, caller.organization_id, datetime.now(UTC))


RequestStore = Annotated[Store, Depends(store_of_request, scope="function")]
