"""What the sync service holds of a clinic, told in counts, ids and shares: never a record's content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SAMPLE = 5000
"""Records of a kind whose fields are looked at; a clinic's million appointments would take too long."""

_LISTED_PATIENTS = text("""
    SELECT count(*) FROM landed
    WHERE organization_id = :organization_id AND kind = 'patients' AND record ->> 'archived_at' IS NULL
      AND record ->> 'deleted_at' IS NULL AND record ->> 'merged_at' IS NULL
""")
_COUNTS = text("SELECT kind, count(*) AS landed FROM landed WHERE organization_id = :organization_id GROUP BY kind")
_ASIDE = text("SELECT count(*) FROM rejected WHERE organization_id = :organization_id")
_PRESENCE = text("""
    WITH sample AS (
        SELECT record FROM landed WHERE organization_id = :organization_id AND kind = :kind
        ORDER BY cliniko_id LIMIT :sample
    )
    SELECT field, round(avg(CASE WHEN content IN ('null', '""', '[]') THEN 0 ELSE 1 END), 3)::double precision AS share
    FROM sample, jsonb_each(record) AS fields (field, content)
    GROUP BY field ORDER BY field
""")
_REJECTED = text("""
    SELECT kind, cliniko_id, reason, sync_id FROM rejected
    WHERE organization_id = :organization_id AND (kind, cliniko_id) > (:kind, :cliniko_id)
    ORDER BY kind, cliniko_id LIMIT :limit
""")


class Place(NamedTuple):
    """Where a page of the list ended."""

    kind: str
    cliniko_id: str


BEGINNING = Place("", "")


@dataclass(frozen=True)
class SetAside:
    """A record that could not be understood, why, and the run that last tried."""

    kind: str
    cliniko_id: str
    reason: str
    sync_id: str


class Holdings:
    """Of this transaction's organization."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._own = {"organization_id": organization_id}

    async def listed_patients(self) -> int:
        """Patients that are not archived, deleted or merged."""
        return int(await self._connection.scalar(_LISTED_PATIENTS, self._own) or 0)

    async def counts(self) -> Mapping[str, int]:
        """Landed records by kind."""
        return {row.kind: row.landed for row in await self._connection.execute(_COUNTS, self._own)}

    async def set_aside_count(self) -> int:
        """How many records wait to be understood."""
        return int(await self._connection.scalar(_ASIDE, self._own) or 0)

    async def field_presence(self, kind: str) -> Mapping[str, float]:
        """The share of records, of at most `SAMPLE`, in which each field says something."""
        rows = await self._connection.execute(_PRESENCE, {**self._own, "kind": kind, "sample": SAMPLE})
        return {row.field: row.share for row in rows}

    async def set_aside(self, after: Place, limit: int) -> Sequence[SetAside]:
        """A page of the records that are set aside, by kind and id."""
        rows = await self._connection.execute(_REJECTED, {**self._own, **after._asdict(), "limit": limit})
        return [SetAside(*row) for row in rows]
