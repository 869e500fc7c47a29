"""A message is handled once per consumer, however often it is delivered."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

KEPT_DAYS = 90
"""Longer than a message should lie among the dead letters before somebody sends it on its way again."""

_RECEIVE = text("""
    WITH tenant AS (SELECT set_config('routiq.organization_id', :organization_id, true))
    INSERT INTO inbox (consumer, event_id) SELECT :consumer, :event_id FROM tenant
    ON CONFLICT DO NOTHING RETURNING 1
""")
_FORGET = text("DELETE FROM inbox WHERE received_at < now() - make_interval(days => :days)")


async def first_delivery(connection: AsyncConnection, consumer: str, event_id: UUID, organization_id: str) -> bool:
    """False when this consumer has committed this event before. Also sets the transaction's organization."""
    row = await connection.execute(
        _RECEIVE, {"consumer": consumer, "event_id": event_id, "organization_id": organization_id}
    )
    return row.first() is not None


async def forget_old(connection: AsyncConnection) -> None:
    """Drop entries older than `KEPT_DAYS`."""
    await connection.execute(_FORGET, {"days": KEPT_DAYS})
