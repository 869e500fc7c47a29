"""The end of an organization's chain, where entries are added; nothing else can be done to it."""

import json
from collections.abc import Sequence
from typing import Any, Self
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from admin.domain.audit import Entry, Link, linked
from chassis.database import SET_TENANT

ENTRIES = Counter("routiq_audit_entries_total", "Entries put on record.", ["kind"])

_HOLD = text("""
    SELECT position, hash, clock_timestamp() FROM audit_heads WHERE organization_id = :organization_id FOR UPDATE
""")
_BEGIN = text("INSERT INTO audit_heads (organization_id) VALUES (:organization_id) ON CONFLICT DO NOTHING")
_KNOWN = text("""
    SELECT entry_id FROM audit_entries WHERE organization_id = :organization_id AND entry_id = ANY(:entry_ids)
""")
_ADD = text("""
    INSERT INTO audit_entries (
        organization_id, position, recorded_at, entry_id, kind, occurred_at, request_id, user_id, role, impersonator,
        patient_ids, details, previous, hash
    )
    VALUES (
        :organization_id, :position, :recorded_at, :entry_id, :kind, :occurred_at, :request_id, :user_id, :role,
        :impersonator, :patient_ids, CAST(:details AS jsonb), :previous, :hash
    )
""")
_MOVE = text("""
    UPDATE audit_heads SET position = :position, hash = :hash WHERE organization_id = :organization_id
""")


class Chain:
    """One organization's, in a transaction of it."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    @classmethod
    async def within(cls, connection: AsyncConnection, organization_id: str) -> Self:
        """Whosever transaction it was so far: from here on it is this organization's."""
        await connection.execute(SET_TENANT, {"organization_id": organization_id})
        return cls(connection, organization_id)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Add those that are not on record yet. Who comes meanwhile waits at the head until this has committed."""
        position, previous, now = await self._hold()
        known = await self._known([entry.entry_id for entry in entries])
        new = list({entry.entry_id: entry for entry in entries if entry.entry_id not in known}.values())
        if new:
            links = linked(self._organization_id, position, previous, new, now)
            rows = [_row(link) for link in links]
            await self._connection.execute(_ADD, rows)
            await self._connection.execute(_MOVE, rows[-1])
        for entry in new:
            ENTRIES.labels(entry.kind).inc()

    async def _hold(self) -> tuple[Any, ...]:
        """Lock the head: its position, its hash, and the moment of it."""
        tenant = {"organization_id": self._organization_id}
        held = (await self._connection.execute(_HOLD, tenant)).one_or_none()
        if held is None:
            await self._connection.execute(_BEGIN, tenant)
            held = (await self._connection.execute(_HOLD, tenant)).one()
        return tuple(held)

    async def _known(self, entry_ids: Sequence[UUID]) -> set[UUID]:
        """Asked once the head is held: what others add is committed before it can be."""
        asked = {"organization_id": self._organization_id, "entry_ids": entry_ids}
        return set((await self._connection.execute(_KNOWN, asked)).scalars())


def _row(link: Link) -> dict[str, Any]:
    entry = link.entry
    return {
        "organization_id": link.organization_id,
        "position": link.position,
        "recorded_at": link.recorded_at,
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "occurred_at": entry.occurred_at,
        "request_id": entry.request_id,
        "user_id": entry.user_id,
        "role": entry.role,
        "impersonator": entry.impersonator,
        "patient_ids": list(entry.patient_ids),
        "details": json.dumps(entry.details),
        "previous": link.previous,
        "hash": link.hash,
    }
