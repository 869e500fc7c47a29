"""Audit entries as they are looked up, and as they are gone through."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from admin.domain.audit import Entry, Head, Link
from admin.domain.inquiry import Inquiry, Sum
from admin.domain.verification import Ends

_COLUMNS = """
    organization_id, position, recorded_at, previous, hash,
    entry_id, kind, occurred_at, request_id, user_id, role, impersonator, patient_ids, details
"""
_CONDITIONS = {
    "before": "position < :before",
    "patient_id": "position IN (SELECT positions_of_patient(:patient_id, :earliest, :latest))",
    "user_id": "user_id = :user_id",
    "kind": "kind = :kind",
    "since": "occurred_at >= :since",
    "until": "occurred_at < :until",
}
_ALWAYS = "organization_id = :organization_id"
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

_PAGE = text(f"""
    SELECT {_COLUMNS} FROM audit_entries
    WHERE {_ALWAYS} AND position > :after AND position <= :until ORDER BY position LIMIT :limit
""")
_HEAD = "{0}.position, {0}.hash, {0}.anchor_position, {0}.anchor_hash"
_ENDS = text(f"""
    SELECT ends.first, ends.last, known.connection_revision >= 0,
        {_HEAD.format("head")}, {_HEAD.format("witness")}
    FROM (
        SELECT min(position) AS first, max(position) AS last
        FROM audit_entries WHERE organization_id = :organization_id
    ) AS ends
    LEFT JOIN audit_heads AS head ON head.organization_id = :organization_id
    LEFT JOIN audit_witnesses AS witness ON witness.organization_id = :organization_id
    LEFT JOIN organizations AS known ON known.organization_id = :organization_id
""")
_WITNESS = text("""
    INSERT INTO audit_witnesses AS known (organization_id, position, hash, anchor_position, anchor_hash)
    VALUES (:organization_id, :position, :hash, :anchor_position, :anchor_hash)
    ON CONFLICT (organization_id) DO UPDATE SET
        position = excluded.position, hash = excluded.hash, witnessed_at = now(),
        anchor_position = excluded.anchor_position, anchor_hash = excluded.anchor_hash
    WHERE known.position < excluded.position
""")
_NEXT_AUDITED = text("SELECT next_audited(:after)")
_COUNT_AUDITED = text("SELECT count_audited()")
_FORGET = text("""
    SELECT forget_audited(least(now() - make_interval(years => :years), now() - make_interval(days => :days)), :most)
""")


class Trail:
    """One organization's, in a transaction of it."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._tenant = {"organization_id": organization_id}

    async def find(self, inquiry: Inquiry) -> Sequence[Link]:
        """What fits, the newest first. The statement holds only the conditions asked for: each has its index."""
        conditions, given = _asked(inquiry, _CONDITIONS)
        statement = f"SELECT {_COLUMNS} FROM audit_entries WHERE {conditions} ORDER BY position DESC LIMIT :limit"
        rows = await self._connection.execute(text(statement), {**self._tenant, **given, "limit": inquiry.limit})
        return [_link(row) for row in rows]

    async def count_by_user(self, inquiry: Inquiry) -> Sequence[Sum]:
        """Who stands in all that fits, on whichever page, the most frequent first."""
        conditions, given = _asked(inquiry, [name for name in _CONDITIONS if name != "before"])
        statement = f"""
            SELECT user_id, impersonator, count(*), min(occurred_at), max(occurred_at)
            FROM audit_entries WHERE {conditions}
            GROUP BY user_id, impersonator ORDER BY count(*) DESC, user_id, impersonator
        """
        return [Sum(*row) for row in await self._connection.execute(text(statement), {**self._tenant, **given})]

    async def page(self, after: int, until: int, limit: int) -> Sequence[Link]:
        """The next entries, the oldest first."""
        bounds = {"after": after, "until": until, "limit": limit}
        return [_link(row) for row in await self._connection.execute(_PAGE, {**self._tenant, **bounds})]

    async def ends(self) -> Ends:
        """Where the chain begins and ends, and where it should."""
        first, last, expected, *heads = tuple((await self._connection.execute(_ENDS, self._tenant)).one())
        head, witnessed = (Head(*one) if one[0] is not None else None for one in (heads[:4], heads[4:]))
        return Ends(first, last, head, witnessed, bool(expected))

    async def witness(self, head: Head) -> None:
        """Remember that the chain was whole up to here; of two who say so, who saw more of it."""
        await self._connection.execute(_WITNESS, {**self._tenant, **asdict(head)})

    async def forget(self, years: int, days: int, most: int) -> int:
        """Remove the oldest entries that are older than both, but no more than `most`. How many went."""
        asked = {"years": years, "days": days, "most": most}
        return int((await self._connection.execute(_FORGET, asked)).scalar_one())


async def next_audited(connection: AsyncConnection, after: str) -> str | None:
    """The organization after this one, in the order of their ids, of which something is on record."""
    found: str | None = (await connection.execute(_NEXT_AUDITED, {"after": after})).scalar_one()
    return found


async def count_audited(connection: AsyncConnection) -> int:
    """How many entries all chains have together, as their heads say."""
    return int((await connection.execute(_COUNT_AUDITED)).scalar_one())


def _asked(inquiry: Inquiry, names: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """Conditions, of those named the ones that were asked for, and their parameters."""
    given = {name: value for name in names if (value := getattr(inquiry, name)) is not None}
    conditions = " AND ".join([_ALWAYS, *(_CONDITIONS[name] for name in given)])
    if inquiry.patient_id:
        given |= {"earliest": inquiry.since or _EARLIEST, "latest": inquiry.until or _LATEST}
    return conditions, given


def _link(row: Row[Any]) -> Link:
    entry = Entry(
        entry_id=row.entry_id,
        kind=row.kind,
        occurred_at=row.occurred_at,
        request_id=row.request_id,
        user_id=row.user_id,
        role=row.role,
        impersonator=row.impersonator,
        patient_ids=row.patient_ids,
        details=row.details,
    )
    return Link(row.organization_id, row.position, row.recorded_at, entry, row.previous, row.hash)
