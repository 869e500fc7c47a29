"""Where the sync service's transactions begin and end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends

from chassis.database import Database, Transaction
from chassis.identity import Identified
from sync.adapters.store import Store, Transactions

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock outside of tests."""
    return datetime.now(UTC)


def transactions_of(database: Database, clock: Clock = utc_now) -> Transactions:
    """For work that spans several transactions."""

    @asynccontextmanager
    async def transaction(organization_id: str) -> AsyncIterator[Store]:
        async with database.transaction(organization_id) as connection:
            yield Store(connection, organization_id, clock())

    return transaction


async def store_of_request(connection: Transaction, caller: Identified) -> Store:
    """The store in the request's own transaction."""
    return Store(connection, caller.organization_id, utc_now())


RequestStore = Annotated[Store, Depends(store_of_request, scope="function")]
