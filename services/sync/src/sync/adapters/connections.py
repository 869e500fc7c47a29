"""Organizations' connections to Cliniko."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.identity import Caller
from contracts.events import ConnectionChanged

_COLUMNS = "api_key, region, credentials_valid, revision, key_number, changed_at"
_READ = text(f"SELECT {_COLUMNS} FROM connections WHERE organization_id = :organization_id")
_WRITE = text(f"""
    INSERT INTO connections (organization_id, api_key, region, credentials_valid)
    VALUES (:organization_id, :api_key, :region, true)
    ON CONFLICT (organization_id) DO UPDATE
    SET api_key = excluded.api_key, region = excluded.region, credentials_valid = true,
        revision = connections.revision + 1, key_number = connections.key_number + 1, changed_at = now()
    RETURNING {_COLUMNS}
""")
_CLEAR = text(f"""
    UPDATE connections SET api_key = NULL, credentials_valid = false, revision = revision + 1, changed_at = now()
    WHERE organization_id = :organization_id AND api_key IS NOT NULL
    RETURNING {_COLUMNS}
""")
_JUDGE = text(f"""
    UPDATE connections SET credentials_valid = :valid, revision = revision + 1, changed_at = now()
    WHERE organization_id = :organization_id AND credentials_valid <> :valid AND api_key IS NOT NULL
      AND key_number = :key_number
    RETURNING {_COLUMNS}
""")
_SEALED = text("SELECT api_key FROM connections WHERE organization_id = :organization_id FOR UPDATE")
_RESEAL = text("UPDATE connections SET api_key = :api_key WHERE organization_id = :organization_id")
_STALE = text("SELECT organization_id FROM sealed_otherwise(:key_id, :after, :most)")
_COUNT_STALE = text("SELECT count_sealed_otherwise(:key_id)")


@dataclass(frozen=True)
class Connection:
    """A row; `api_key` is the sealed envelope, None once disconnected. A new key gets the next number."""

    api_key: bytes | None
    region: str | None
    credentials_valid: bool
    revision: int
    key_number: int
    changed_at: datetime

    def announcement(
        self, organization_id: str, by: Caller | None = None, request_id: str | None = None
    ) -> ConnectionChanged:
        """The connection as the other services hear of it; without anybody who changed it, in which request."""
        return ConnectionChanged(
            organization_id=organization_id,
            request_id=by.request_id if by else request_id,
            revision=self.revision,
            connected=self.api_key is not None,
            credentials_valid=self.credentials_valid,
            region=self.region,
            user_id=by.user_id if by else None,
            role=by.role if by else None,
            impersonator=by.impersonator if by else None,
        )


async def sealed_otherwise(connection: AsyncConnection, key_id: str, after: str, most: int) -> Sequence[str]:
    """The first organizations after `after` whose API key is sealed with another key than this."""
    rows = await connection.execute(_STALE, {"key_id": key_id, "after": after, "most": most})
    return [row.organization_id for row in rows]


async def count_sealed_otherwise(connection: AsyncConnection, key_id: str) -> int:
    """How many organizations that are."""
    return int(await connection.scalar(_COUNT_STALE, {"key_id": key_id}) or 0)


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

    async def judge(self, key_number: int, *, valid: bool) -> Connection | None:
        """Note Cliniko's answer to this key, unless another one has taken its place."""
        return await self._one(_JUDGE, key_number=key_number, valid=valid)

    async def sealed_key(self) -> bytes | None:
        """The envelope, which nobody else changes until this transaction ends."""
        envelope: bytes | None = await self._connection.scalar(_SEALED, {"organization_id": self._organization_id})
        return envelope

    async def reseal(self, api_key: bytes) -> None:
        """Put the same key into another envelope: nothing that anybody has to hear of."""
        await self._connection.execute(_RESEAL, {"organization_id": self._organization_id, "api_key": api_key})

    async def _one(self, statement: Any, **values: object) -> Connection | None:
        rows = await self._connection.execute(statement, {"organization_id": self._organization_id, **values})
        row = rows.one_or_none()
        return Connection(*row) if row else None
