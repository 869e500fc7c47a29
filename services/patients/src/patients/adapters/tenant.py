"""The database as one organization sees it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class Tenant:
    """One organization in one transaction. Row-level security would keep the others out without our asking."""

    connection: AsyncConnection
    organization_id: str

    async def execute(self, statement: Executable, **parameters: Any) -> CursorResult[Any]:
        """Run a statement that names `:organization_id`."""
        return await self.connection.execute(statement, {"organization_id": self.organization_id, **parameters})
