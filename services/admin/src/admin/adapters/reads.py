"""Who was shown whose records, as the service that showed them put it on record."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events import PatientRecordsRead

_ADD = text("""
    INSERT INTO record_reads (
        organization_id, event_id, occurred_at, request_id, user_id, role, impersonator, route, patient_count,
        patient_ids
    )
    VALUES (
        :organization_id, :event_id, :occurred_at, :request_id, :user_id, :role, :impersonator, :route, :patient_count,
        :patient_ids
    )
    ON CONFLICT DO NOTHING  -- sent again after the inbox has forgotten it
""")


class Reads:
    """One organization's, in the transaction of its messages. Rows can be added, and nothing else."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, events: Sequence[PatientRecordsRead]) -> None:
        await self._connection.execute(_ADD, [event.model_dump() for event in events])
