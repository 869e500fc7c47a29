"""What is older than it must be kept goes."""

from dataclasses import dataclass
from datetime import datetime

from admin.adapters.chain import Chain
from admin.adapters.store import Organizations
from admin.adapters.trail import Trail, count_audited, next_audited
from admin.domain import testimony
from admin.handlers.auditing import record_act
from chassis.database import Database
from chassis.identity import Caller
from contracts.events import CleanupRequested

AT_ONCE = 5000
"""Entries removed in one transaction."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many audit entries went, and how many are left; of how many organizations the sync logs go."""

    removed: int
    kept: int
    organizations: int


async def clean_up(database: Database, days_old: int, years: int, caller: Caller, now: datetime) -> Cleaned:
    """Remove audit entries older than `days_old` and than the legal term, clinic by clinic, and ask sync for the same.

    Each chain that lost some says so, and that of the caller's own organization says in any case that it was asked.
    """
    removed, organizations, organization_id = 0, 0, await _next(database, "")
    while organization_id is not None:
        organizations += 1
        await _ask_sync(database, organization_id, days_old, caller, now)
        while gone := await _forget(database, organization_id, days_old, years, caller, now):
            removed += gone
        organization_id = await _next(database, organization_id)
    async with database.transaction() as connection:
        kept = await count_audited(connection)
    details = {"days_old": days_old, "removed": removed, "kept": kept}
    await record_act(database, "audit.cleaned", details, caller, now)
    return Cleaned(removed, kept, organizations)


async def _next(database: Database, after: str) -> str | None:
    async with database.transaction() as connection:
        return await next_audited(connection, after)


async def _ask_sync(database: Database, organization_id: str, days_old: int, caller: Caller, now: datetime) -> None:
    """Every organization that ever had a run has a chain."""
    event = CleanupRequested(
        organization_id=organization_id,
        request_id=caller.request_id or None,
        occurred_at=now,
        days_old=days_old,
        user_id=caller.user_id,
        impersonator=caller.impersonator,
    )
    async with database.transaction() as connection:
        await Organizations(connection).announce(event)


async def _forget(
    database: Database, organization_id: str, days_old: int, years: int, caller: Caller, now: datetime
) -> int:
    async with database.transaction(organization_id) as connection:
        gone = await Trail(connection, organization_id).forget(years, days_old, AT_ONCE)
        if gone:
            await Chain(connection, organization_id).append([testimony.of_removal(gone, caller, now)])
    return gone
