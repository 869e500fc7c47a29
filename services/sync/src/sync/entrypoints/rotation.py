"""`python -m sync rotate-keys`: one JSON line a batch on standard output, for people and for `routiq keys rotate`."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from chassis.database import Database
from sync import handlers
from sync.adapters.connections import count_sealed_otherwise, sealed_otherwise
from sync.adapters.replicas import replicas_without_key
from sync.adapters.vault import Vault
from sync.domain.schedule import BEAT_HOLDS
from sync.entrypoints.transactions import transactions_of

COMPLETE, LEFT_OVER, TOO_EARLY = 0, 1, 2


async def rotate(database: Database, vault: Vault) -> int:
    """The exit status: 2 while a replica runs that could not open what would be sealed, 1 when some could not be."""
    newest = vault.key_ids[0]
    async with database.transaction() as connection:
        behind = await replicas_without_key(connection, newest, datetime.now(UTC) - BEAT_HOLDS)
        total = await count_sealed_otherwise(connection, newest)
    if behind:
        _say(refused="replicas_without_key", replicas=behind, key_id=newest)
        return TOO_EARLY
    _say(key_id=newest, resealed=0, unreadable=0, total=total)

    async def next_stale(after: str, most: int) -> Sequence[str]:
        async with database.transaction() as connection:
            return await sealed_otherwise(connection, newest, after, most)

    unreadable = 0
    async for done in handlers.rotate_keys(next_stale, transactions_of(database), vault):
        unreadable = done.unreadable
        _say(key_id=newest, resealed=done.resealed, unreadable=unreadable, total=total)
    return LEFT_OVER if unreadable else COMPLETE


def _say(**facts: str | int) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
