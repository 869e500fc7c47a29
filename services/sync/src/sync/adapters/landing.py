"""Landed records, and the batches that wait for their receipts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.records import AppointmentRecord, Record
from sync.domain.mapping import Mapped

# Only what differs is written, or even locked: a sweep of an unchanged clinic reads. An older state does not replace a
# newer one that has just landed, for an answer that was on its way for long may arrive last; after that time Cliniko's
# word counts, though its clock was set back. Seconds are compared, as not all its lists need show fractions. A removed
# record takes any, and of a patient who was erased nothing lands. The sequence is drawn anew under the row's lock, so
# that it grows with every accepted state.
# LATERAL: one look into the index for each record, whatever the planner believes of a table that has begun to grow.
_LAND = text("""
    WITH incoming AS MATERIALIZED (
        SELECT cliniko_id, CAST(record AS jsonb) AS record
        FROM unnest(CAST(:ids AS text[]), CAST(:records AS text[])) AS incoming (cliniko_id, record)
    )
    INSERT INTO landed (organization_id, kind, cliniko_id, sequence, record, batch_id, landed_at)
    SELECT :organization_id, :kind, cliniko_id, nextval('landing_sequence'), record, :batch_id, :now
    FROM incoming
    LEFT JOIN LATERAL (
        SELECT record AS known, unconfirmed FROM landed
        WHERE organization_id = :organization_id AND kind = :kind AND landed.cliniko_id = incoming.cliniko_id
        LIMIT 1
    ) AS last ON true
    WHERE (known IS DISTINCT FROM record OR unconfirmed) AND NOT EXISTS (
        SELECT FROM erasures
        WHERE organization_id = :organization_id AND cliniko_patient_id = record ->> 'cliniko_patient_id'
    )
    ORDER BY cliniko_id
    ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE
    SET sequence = nextval('landing_sequence'), record = excluded.record, batch_id = excluded.batch_id,
        landed_at = excluded.landed_at, unconfirmed = false
    WHERE landed.record IS NULL
       OR (landed.unconfirmed OR landed.record <> excluded.record)
          AND (date_trunc('second', (landed.record ->> 'updated_at')::timestamptz)
               <= (excluded.record ->> 'updated_at')::timestamptz OR landed.landed_at < :settled)
    RETURNING cliniko_id, sequence
""")
LATE = timedelta(minutes=1)
"""No answer is on its way, or kept in a cache, for longer."""
_COUNT = text("""
    SELECT count(*) FROM landed WHERE organization_id = :organization_id AND kind = :kind AND record IS NOT NULL
""")
_REMOVE = text("""
    UPDATE landed SET record = NULL, sequence = nextval('landing_sequence'), batch_id = :batch_id, landed_at = now(),
        unconfirmed = false
    WHERE organization_id = :organization_id AND kind = :kind AND cliniko_id = ANY(:ids) AND record IS NOT NULL
    RETURNING cliniko_id, sequence
""")
# What becomes an erased patient's does not land, and must not stay as what it was: somebody else's.
_RELEASE = text("""
    UPDATE landed SET record = NULL, sequence = nextval('landing_sequence'), batch_id = :batch_id, landed_at = now(),
        unconfirmed = false
    FROM unnest(
        CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:patients AS text[]), CAST(:times AS timestamptz[])
    ) AS incoming (kind, cliniko_id, cliniko_patient_id, updated_at)
    WHERE landed.organization_id = :organization_id
      AND landed.kind = incoming.kind AND landed.cliniko_id = incoming.cliniko_id
      AND date_trunc('second', (record ->> 'updated_at')::timestamptz) <= incoming.updated_at
      AND EXISTS (
          SELECT FROM erasures
          WHERE organization_id = :organization_id AND erasures.cliniko_patient_id = incoming.cliniko_patient_id
      )
    RETURNING landed.cliniko_id, sequence
""")
_TAKE_UNCONFIRMED = text("""
    UPDATE landed SET batch_id = :batch_id, unconfirmed = false
    WHERE organization_id = :organization_id AND kind = :kind AND cliniko_id IN (
        SELECT cliniko_id FROM landed
        WHERE organization_id = :organization_id AND kind = :kind AND unconfirmed
        ORDER BY cliniko_id LIMIT :size
    )
    RETURNING cliniko_id, sequence, record || jsonb_build_object('sequence', sequence, 'landed_at', landed_at) AS record
""")
_RECALL = text("""
    SELECT cliniko_id, sequence, record || jsonb_build_object('sequence', sequence, 'landed_at', landed_at) AS record
    FROM landed
    WHERE organization_id = :organization_id AND kind = :kind AND cliniko_id > :after
    ORDER BY cliniko_id LIMIT :size
""")
_KEPT_ASIDE = text("""
    SELECT cliniko_id FROM rejected
    WHERE organization_id = :organization_id AND kind = :kind AND sync_id <> :sync_id
    ORDER BY cliniko_id
""")
_EXPECT = text("""
    INSERT INTO batches (organization_id, sync_id, batch_id, records, awaiting)
    SELECT :organization_id, :sync_id, batch_id, records, string_to_array(awaiting, ' ')
    FROM unnest(CAST(:batch_ids AS uuid[]), CAST(:records AS integer[]), CAST(:awaiting AS text[]))
        AS expected (batch_id, records, awaiting)
""")
_CONFIRM = text("""
    UPDATE batches SET awaiting = array_remove(awaiting, :consumer)
    WHERE organization_id = :organization_id AND sync_id = :sync_id AND batch_id = ANY(:batch_ids)
      AND :consumer = ANY(awaiting)
    RETURNING batch_id, records, awaiting
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
_ERASE = (
    text("""
        INSERT INTO erasures (organization_id, cliniko_patient_id, erased_at)
        VALUES (:organization_id, :cliniko_patient_id, :now) ON CONFLICT DO NOTHING
    """),
    text("""
        DELETE FROM landed
        WHERE organization_id = :organization_id AND record ->> 'cliniko_patient_id' = :cliniko_patient_id
    """),
    text("""
        DELETE FROM rejected
        WHERE organization_id = :organization_id AND kind = 'patients' AND cliniko_id = :cliniko_patient_id
    """),
)
_SWEEP = (
    text("DELETE FROM pages WHERE organization_id = :organization_id AND sync_id = :sync_id"),
    text("DELETE FROM batches WHERE organization_id = :organization_id AND sync_id = :sync_id"),
)


GIVEN_BY_LANDING = {"sequence", "landed_at"}


@dataclass(frozen=True)
class Expected:
    """A batch on its way to consumers who will confirm it, with that many records of the run's count."""

    batch_id: UUID
    records: int
    consumers: Sequence[str]


@dataclass(frozen=True)
class State:
    """A landed record as it is sent again; without a record it was removed."""

    cliniko_id: str
    sequence: int
    record: dict[str, Any] | None


class Landing:
    """What Cliniko said, kept per record for this transaction's organization."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def land(self, kind: str, batch_id: UUID, records: Sequence[Mapped], now: datetime) -> list[Record]:
        """Store the records; return those that `batch_id` must carry, each with its new sequence.

        These are the new and the changed ones, and those whose last batch nobody is known to have applied.
        """
        states = {mapped.cliniko_id: mapped.record for mapped in records}
        texts = [record.model_dump_json(exclude=GIVEN_BY_LANDING) for record in states.values()]
        values = {"ids": list(states), "records": texts, "now": now, "settled": now - LATE}
        rows = await self._run(_LAND, kind=kind, batch_id=batch_id, **values)
        return [states[cliniko_id].model_copy(update={"sequence": sequence}) for cliniko_id, sequence in rows]

    async def count(self, kind: str) -> int:
        """How many records there are."""
        return int((await self._run(_COUNT, kind=kind)).scalar_one())

    async def remove(self, kind: str, batch_id: UUID, ids: Sequence[str]) -> list[State]:
        """Let go of what these records said."""
        rows = await self._run(_REMOVE, kind=kind, batch_id=batch_id, ids=list(ids))
        return [State(row.cliniko_id, row.sequence, None) for row in rows]

    async def release(self, batch_id: UUID, records: Sequence[tuple[str, AppointmentRecord]]) -> list[State]:
        """Let go of what landed of these, each of its kind, as somebody else's, where they are an erased patient's."""
        values = {
            "kinds": [kind for kind, _ in records],
            "ids": [record.cliniko_appointment_id for _, record in records],
            "patients": [record.cliniko_patient_id for _, record in records],
            "times": [record.updated_at for _, record in records],
        }
        rows = await self._run(_RELEASE, batch_id=batch_id, **values)
        return [State(row.cliniko_id, row.sequence, None) for row in rows]

    async def take_unconfirmed(self, kind: str, batch_id: UUID, size: int) -> list[State]:
        """States whose batch nobody is known to have applied; `batch_id` must carry them."""
        return [State(*row) for row in await self._run(_TAKE_UNCONFIRMED, kind=kind, batch_id=batch_id, size=size)]

    async def recall(self, kind: str, after: str, size: int) -> list[State]:
        """Landed states in the order of their ids."""
        return [State(*row) for row in await self._run(_RECALL, kind=kind, after=after, size=size)]

    async def kept_aside(self, sync_id: str, kind: str) -> list[str]:
        """Ids of the records that could not be mapped when they were last read, which was before this run."""
        return list((await self._run(_KEPT_ASIDE, sync_id=sync_id, kind=kind)).scalars())

    async def expect(self, sync_id: str, batches: Sequence[Expected]) -> None:
        """Wait for the batches' receipts."""
        await self._run(
            _EXPECT,
            sync_id=sync_id,
            batch_ids=[batch.batch_id for batch in batches],
            records=[batch.records for batch in batches],
            awaiting=[" ".join(batch.consumers) for batch in batches],
        )

    async def confirm(self, sync_id: str, batch_ids: Sequence[UUID], consumer: str) -> dict[UUID, int]:
        """Take a consumer's receipts. The records of each batch that now waits for no other."""
        rows = await self._run(_CONFIRM, sync_id=sync_id, batch_ids=list(batch_ids), consumer=consumer)
        return {row.batch_id: row.records for row in rows if not row.awaiting}

    async def outstanding(self, sync_id: str) -> bool:
        """True while any batch of the run waits for a receipt."""
        return bool((await self._run(_OUTSTANDING, sync_id=sync_id)).scalar())

    async def distrust(self, sync_id: str) -> None:
        """Have the records of the run's unconfirmed batches sent again by the next run that meets them."""
        await self._run(_DISTRUST, sync_id=sync_id)

    async def erase(self, cliniko_patient_id: str, now: datetime) -> None:
        """Let go of everything of a patient, and land nothing of them again; nothing else may land meanwhile."""
        for statement in _ERASE:
            await self._run(statement, cliniko_patient_id=cliniko_patient_id, now=now)

    async def sweep(self, sync_id: str) -> None:
        """Drop the checkpoints and batches of a run that has ended."""
        for statement in _SWEEP:
            await self._run(statement, sync_id=sync_id)

    async def _run(self, statement: Any, **values: Any) -> Any:
        return await self._connection.execute(statement, {"organization_id": self._organization_id, **values})
