"""One state of the database, read piece by piece in transactions of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text

from chassis.database import SET_TENANT, Database
from patients.adapters.tenant import Tenant

_ONE_STATE = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
_EXPORT = text("SELECT pg_export_snapshot()")


@dataclass(frozen=True)
class Snapshot:
    """What was committed when it was taken, as one organization sees it."""

    database: Database
    organization_id: str
    name: str

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tenant]:
        """Reads that state and can write; commits on leaving."""
        async with self.database.transaction() as connection:
            await connection.execute(_ONE_STATE)
            await connection.execute(text(f"SET TRANSACTION SNAPSHOT '{self.name}'"))  # takes no parameter
            await connection.execute(SET_TENANT, {"organization_id": self.organization_id})
            yield Tenant(connection, self.organization_id)


@asynccontextmanager
async def snapshot(database: Database, organization_id: str) -> AsyncIterator[Snapshot]:
    """Can be read for as long as this context is open, which holds a connection."""
    async with database.transaction() as connection:
        await connection.execute(_ONE_STATE)
        name = (await connection.execute(_EXPORT)).scalar_one()
        yield Snapshot(database, organization_id, name)
