"""Landed records, the checkpoint of each page, and the batches that wait for their receipts."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.domain.clinic import PAGE_SIZE
from sync.domain.mapping import Mapped, Rejected

_SEEN = text("""
    SELECT mapped, rejected FROM pages
    WHERE organization_id = :organization_id AND sync_id = :sync_id AND path = :path AND number = :number
""")
_CHECK = text("""
    INSERT INTO pages (organization_id, sync_id, path, number, rows, mapped, rejected)
    VALUES (:organization_id, :sync_id, :path, :number, :rows, :mapped, :rejected)
    ON CONFLICT (organization_id, sync_id, path, number)
    DO UPDATE SET rows = excluded.rows, mapped = excluded.mapped, rejected = excluded.rejected
""")
_DONE = text("""
    SELECT path, number FROM pages
    WHERE organization_id = :organization_id AND sync_id = :sync_id AND rows >= :full
""")
# An older state never replaces a newer one: an answer that was on its way for long may arrive last.
_LAND = text("""
    INSERT INTO landed (organization_id, kind, cliniko_id, sequence, record, batch_id)
    SELECT :organization_id, :kind, cliniko_id, nextval('landing_sequence'), record, :batch_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS incoming (cliniko_id text, record jsonb)
    ORDER BY cliniko_id
    ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE
    SET sequence = excluded.sequence, record = excluded.record, batch_id = excluded.batch_id, unconfirmed = false
    WHERE (landed.unconfirmed OR landed.record <> excluded.record)
      AND (landed.record ->> 'updated_at')::timestamptz <= (excluded.record ->> 'updated_at')::timestamptz
    RETURNING record || jsonb_build_object('sequence', sequence)
""")
_REJECT = text("""
    INSERT INTO rejected (organization_id, kind, cliniko_id, sync_id, reason)
    SELECT :organization_id, :kind, cliniko_id, :sync_id, reason
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS incoming (cliniko_id text, reason text)
    ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE
    SET sync_id = excluded.sync_id, reason = excluded.reason
""")
_ACCEPT = text("""
    DELETE FROM rejected WHERE organization_id = :organization_id AND kind = :kind AND cliniko_id = ANY(:ids)
""")
_EXPECT = text("""
    INSERT INTO batches (organization_id, sync_id, batch_id, records, awaiting)
    VALUES (:organization_id, :sync_id, :batch_id, :records, :awaiting)
""")
_CONFIRM = text("""
    UPDATE batches SET awaiting = array_remove(awaiting, :consumer)
    WHERE organization_id = :organization_id AND sync_id = :sync_id AND batch_id = :batch_id
      AND :consumer = ANY(awaiting)
    RETURNING records, awaiting
""")
_OUTSTANDING = text("""
    SELECT EXISTS (SELECT 1 FROM batches
                   WHERE organization_id = :organization_id AND sync_id = :sync_id AND awaiting <> '{}')
""")
_DISTRUST = text("""
    UPDATE landed SET unconfirmed = true
    WHERE organization_id = :organization_id AND batch_id IN (
        SELECT batch_id FROM batches
        WHERE organization_id = :organization_id AND sync_id = :sync_id AND awaiting <> '{}'
    )
""")
_SWEEP = (
    text("DELETE FROM pages WHERE organization_id = :organization_id AND sync_id = :sync_id"),
    text("DELETE FROM batches WHERE organization_id = :organization_id AND sync_id = :sync_id"),
)


class Landing:
    """What Cliniko said, kept per record for this transaction's organization."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def check_page(
        self, sync_id: str, path: str, number: int, *, rows: int, mapped: int, rejected: int
    ) -> tuple[int, int]:
        """Mark the page as landed. Returns how many more records are mapped and rejected than when it last was."""
        page = {"sync_id": sync_id, "path": path, "number": number}
        before = (await self._run(_SEEN, **page)).one_or_none() or (0, 0)
        await self._run(_CHECK, **page, rows=rows, mapped=mapped, rejected=rejected)
        return mapped - before[0], rejected - before[1]

    async def landed_pages(self, sync_id: str) -> set[tuple[str, int]]:
        """Path and number of every full page this run has landed; a shorter one may have grown."""
        return {(row.path, row.number) for row in await self._run(_DONE, sync_id=sync_id, full=PAGE_SIZE)}

    async def land(self, kind: str, batch_id: UUID, records: Sequence[Mapped]) -> list[dict[str, Any]]:
        """Store the records; return those that `batch_id` must carry, each with its new sequence.

        These are the new and the changed ones, and those whose last batch nobody is known to have applied.
        """
        rows = json.dumps([{"cliniko_id": mapped.cliniko_id, "record": mapped.record} for mapped in records])
        return [row[0] for row in await self._run(_LAND, kind=kind, batch_id=batch_id, rows=rows)]

    async def distrust(self, sync_id: str) -> None:
        """Have the records of the run's unconfirmed batches sent again by the next run that meets them."""
        await self._run(_DISTRUST, sync_id=sync_id)

    async def keep_aside(self, sync_id: str, kind: str, rejected: Sequence[Rejected]) -> None:
        """Remember the records that could not be mapped."""
        rows = json.dumps([{"cliniko_id": one.cliniko_id, "reason": one.reason} for one in rejected])
        await self._run(_REJECT, sync_id=sync_id, kind=kind, rows=rows)

    async def accept(self, kind: str, records: Sequence[Mapped]) -> None:
        """Forget earlier rejections of records that can be mapped now."""
        await self._run(_ACCEPT, kind=kind, ids=[mapped.cliniko_id for mapped in records])

    async def expect(self, sync_id: str, batch_id: UUID, records: int, consumers: Sequence[str]) -> None:
        """Wait for a receipt of each consumer."""
        values = {"batch_id": batch_id, "records": records, "awaiting": list(consumers)}
        await self._run(_EXPECT, sync_id=sync_id, **values)

    async def confirm(self, sync_id: str, batch_id: UUID, consumer: str) -> int | None:
        """Take a receipt. The batch's records when it was the last one waited for, else None."""
        row = (await self._run(_CONFIRM, sync_id=sync_id, batch_id=batch_id, consumer=consumer)).one_or_none()
        return row.records if row and not row.awaiting else None

    async def outstanding(self, sync_id: str) -> bool:
        """True while any batch of the run waits for a receipt."""
        return bool((await self._run(_OUTSTANDING, sync_id=sync_id)).scalar())

    async def sweep(self, sync_id: str) -> None:
        """Drop the checkpoints and batches of a run that has ended."""
        for statement in _SWEEP:
            await self._run(statement, sync_id=sync_id)

    async def _run(self, statement: Any, **values: Any) -> Any:
        return await self._connection.execute(statement, {"organization_id": self._organization_id, **values})
