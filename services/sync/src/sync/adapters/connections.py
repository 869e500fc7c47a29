"""Organizations' connections to Cliniko."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events import ConnectionChanged

_COLUMNS = "api_key, region, credentials_valid, revision"
_READ = text(f"SELECT {_COLUMNS} FROM connections WHERE organization_id = :organization_id")
_WRITE = text(f"""
    INSERT INTO connections (organization_id, api_key, region, credentials_valid)
    VALUES (:organization_id, :api_key, :region, true)
    ON CONFLICT (organization_id) DO UPDATE
    SET api_key = excluded.api_key, region = excluded.region, credentials_valid = true,
        revision = connections.revision + 1, changed_at = now()
    RETURNING {_COLUMNS}
""")
_CLEAR = text(f"""
    UPDATE connections SET api_key = NULL, credentials_valid = false, revision = revision + 1, changed_at = now()
    WHERE organization_id = :organization_id AND api_key IS NOT NULL
    RETURNING {_COLUMNS}
""")
_JUDGE = text(f"""
    UPDATE connections SET credentials_valid = :valid, revision = revision + 1, changed_at = now()
    WHERE organization_id = :organization_id AND credentials_valid <> :valid AND api_key = :sealed_key
    RETURNING {_COLUMNS}
""")


@dataclass(frozen=True)
class Connection:
    """A row; `api_key` is the sealed envelope, None once disconnected."""

    api_key: bytes | None
    region: str | None
    credentials_valid: bool
    revision: int

    def announcement(self, organization_id: str, request_id: str | None) -> ConnectionChanged:
        """The connection as the other services hear of it."""
        return ConnectionChanged(
            organization_id=organization_id,
            request_id=request_id,
            revision=self.revision,
            connected=self.api_key is not None,
            credentials_valid=self.credentials_valid,
            region=self.region,
        )


class Connections:
    """The connection of this transaction's organization. Changes return it as it is now, None when nothing changed."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def current(self) -> Connection | None:
        """None when the organization was never connected."""
        return await self._one(_READ)

    async def connect(self, api_key: bytes, region: str) -> Connection | None:
        """Store a key that Cliniko has just accepted."""
        return await self._one(_WRITE, api_key=api_key, region=region)

    async def disconnect(self) -> Connection | None:
        """Forget the key."""
        return await self._one(_CLEAR)

    async def judge(self, sealed_key: bytes, *, valid: bool) -> Connection | None:
        """Note Cliniko's answer to this key, unless another one has taken its place."""
        return await self._one(_JUDGE, sealed_key=sealed_key, valid=valid)

    async def _one(self, statement: object, **values: object) -> Connection | None:
        rows = await self._connection.execute(statement, {"organization_id": self._organization_id, **values})  # type: ignore[call-overload] # text() clauses only
        row = rows.one_or_none()
        return Connection(*row) if row else None
