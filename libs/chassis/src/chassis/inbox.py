"""A message is handled once per consumer, however often it is delivered."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

KEPT_DAYS = 90
"""Longer than a message should lie among the dead letters before somebody sends it on its way again."""

_RECEIVE = text("""
    WITH tenant AS (SELECT set_config('routiq.organization_id', :organization_id, true))
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, event_id FROM tenant, unnest(CAST(:event_ids AS uuid[])) AS event_id ORDER BY event_id
    ON CONFLICT DO NOTHING RETURNING event_id
""")
_FORGET = text("DELETE FROM inbox WHERE received_at < now() - make_interval(days => :days)")


async def first_deliveries(
    connection: AsyncConnection, consumer: str, event_ids: Sequence[UUID], organization_id: str
) -> set[UUID]:
    """Those that this consumer has not committed before. Also sets the transaction's organization."""
    values = {"consumer": consumer, "event_ids": event_ids, "organization_id": organization_id}
    return set((await connection.execute(_RECEIVE, values)).scalars())


async def forget_old(connection: AsyncConnection) -> None:
    """Drop entries older than `KEPT_DAYS`."""
    await connection.execute(_FORGET, {"days": KEPT_DAYS})
