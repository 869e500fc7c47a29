"""Events in whatever order, any number of times."""

import random
from datetime import UTC, datetime, timedelta

from services.admin.tests.conftest import Admin, connection, figures, run
from sqlalchemy import text

from contracts.base import Event

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
KNOWN = text("SELECT connected, credentials_valid, last_synced_at, total_patients, active_patients FROM organizations")


def history(organization_id: str) -> list[Event]:
    """Three states of the connection, three counts, two runs that completed and a later one that failed."""
    states = [connection(organization_id, revision=n, valid=n % 2 == 0) for n in (1, 2, 3)]
    counts = [figures(organization_id, 100 * n, n, occurred_at=NOON + timedelta(minutes=n)) for n in (1, 2, 3)]
    ends = [("completed", NOON - timedelta(hours=1)), ("completed", NOON), ("failed", NOON + timedelta(hours=1))]
    runs = [run(organization_id, status, sync_id=f"sync_{end:%H}", completed_at=end) for status, end in ends]
    return [event for moment in zip(states, counts, runs, strict=True) for event in moment]


async def test_the_newest_state_of_each_kind_stays_in_whatever_order_events_come(admin: Admin) -> None:
    for seed in range(12):
        organization_id = f"org_{seed}"
        events = history(organization_id)
        random.Random(seed).shuffle(events)
        await admin.receive(*events, *events[:3])
        async with admin.database.transaction(organization_id) as transaction:
            (row,) = await transaction.execute(KNOWN)
        assert tuple(row) == (True, False, NOON, 300, 3)
