"""Chains are gone along, page by page, and every hash is computed anew."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from admin.adapters.trail import Trail, count_audited, next_audited
from admin.domain.audit import Head
from admin.domain.verification import Break, Walk
from chassis.database import Database

PAGE = 200
"""Entries in memory at a time, each of up to 1,000 patient ids."""


@dataclass(frozen=True, slots=True)
class Step:
    """A page further along a chain, or its end."""

    organization_id: str
    checked: int = 0
    """Entries of this page."""
    verdict: Break | Head | None = None
    """At the end of the chain: its head when all of it is whole, else where it is broken first."""


async def count(database: Database, organization_id: str | None = None) -> int:
    """How many entries there should be, of one organization or of all."""
    if organization_id is None:
        async with database.transaction() as connection:
            return await count_audited(connection)
    head, _ = await _ends(database, organization_id)
    return head.position - head.anchor_position if head else 0


async def verify(database: Database, organization_id: str | None = None) -> AsyncIterator[Step]:
    """Go along one organization's chain, or along all of them. A chain is left at its first break."""
    current = organization_id or await _next(database, "")
    while current is not None:
        async for step in _go_along(database, current):
            yield step
        current = None if organization_id else await _next(database, current)


async def _go_along(database: Database, organization_id: str) -> AsyncIterator[Step]:
    known, last = await _ends(database, organization_id)
    if known is None and not last:
        return
    head = known or Head()
    walk, found, position = Walk(organization_id, head, last), None, head.anchor_position
    while found is None and position < head.position:
        async with database.transaction(organization_id) as connection:
            links = await Trail(connection, organization_id).page(position, head.position, PAGE)
        found = walk.pass_by(links)
        yield Step(organization_id, len(links))
        position = links[-1].position if links else head.position
    verdict = found or walk.arrive()
    if verdict and await _has_moved(database, organization_id, head):
        async for step in _go_along(database, organization_id):
            yield step
    else:
        yield Step(organization_id, verdict=verdict or head)


async def _has_moved(database: Database, organization_id: str, head: Head) -> bool:
    """Whether entries were removed lawfully meanwhile, under the walker's feet."""
    now, _ = await _ends(database, organization_id)
    return now is not None and now.anchor_position != head.anchor_position


async def _ends(database: Database, organization_id: str) -> tuple[Head | None, int]:
    async with database.transaction(organization_id) as connection:
        return await Trail(connection, organization_id).ends()


async def _next(database: Database, after: str) -> str | None:
    async with database.transaction() as connection:
        return await next_audited(connection, after)
