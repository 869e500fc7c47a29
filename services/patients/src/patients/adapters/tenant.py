"""The database as one organization sees it."""

from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement, CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import fetch


@dataclass(frozen=True)
class Tenant:
    """One organization in one transaction. Row-level security would keep the others out without our asking."""

    connection: AsyncConnection
    organization_id: str

    async def execute(self, statement: Executable, **parameters: Any) -> CursorResult[Any]:
        """Run a statement that names `:organization_id`."""
        return await self.connection.execute(statement, {"organization_id": self.organization_id, **parameters})

    async def fetch(self, statement: ClauseElement, **parameters: Any) -> list[asyncpg.Record]:
        """The same for a statement that is asked often."""
        return await fetch(self.connection, statement, {"organization_id": self.organization_id, **parameters})
