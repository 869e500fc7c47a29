"""`python -m sync end-runs`: run where the service runs, against its own schema, after a backup was restored.

Each line is a JSON array of an organization's id and a run's. The receipts that such a run waits for may have come
before the restore, or never come: it ends, and the next one sends again what nobody is known to have applied.
"""

import json
from collections.abc import Iterable

from chassis.database import Database
from sync import handlers
from sync.entrypoints.transactions import transactions_of

REASON = "A backup was brought back that was made while this sync was under way. Start it again."


async def end_runs(lines: Iterable[str], database: Database) -> None:
    """One transaction for each."""
    transactions = transactions_of(database)
    for organization_id, sync_id in map(json.loads, lines):
        async with transactions(organization_id) as store:
            await handlers.fail(sync_id, REASON, store)
