"""What is older than it must be kept goes."""

from dataclasses import dataclass
from datetime import datetime

from admin.adapters.chain import Chain
from admin.adapters.trail import Trail, count_audited, next_audited
from admin.domain import testimony
from chassis.database import Database
from chassis.identity import Caller

AT_ONCE = 5000
"""Entries removed in one transaction."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many audit entries went, and how many are left."""

    removed: int
    kept: int


async def clean_up(database: Database, days_old: int, years: int, caller: Caller, now: datetime) -> Cleaned:
    """Remove audit entries older than `days_old` and than the legal term, clinic by clinic.

    Each chain that lost some says so, and that of the caller's own organization says in any case that it was asked.
    """
    removed, organization_id = 0, await _next(database, "")
    while organization_id is not None:
        while gone := await _forget(database, organization_id, days_old, years, caller, now):
            removed += gone
        organization_id = await _next(database, organization_id)
    async with database.transaction() as connection:
        kept = await count_audited(connection)
    async with database.transaction(caller.organization_id) as connection:
        entry = testimony.of_cleanup(days_old, removed, kept, caller, now)
        await Chain(connection, caller.organization_id).append([entry])
    return Cleaned(removed, kept)


async def _next(database: Database, after: str) -> str | None:
    async with database.transaction() as connection:
        return await next_audited(connection, after)


async def _forget(
    database: Database, organization_id: str, days_old: int, years: int, caller: Caller, now: datetime
) -> int:
    async with database.transaction(organization_id) as connection:
        gone = await Trail(connection, organization_id).forget(years, days_old, AT_ONCE)
        if gone:
            await Chain(connection, organization_id).append([testimony.of_removal(gone, caller, now)])
    return gone
