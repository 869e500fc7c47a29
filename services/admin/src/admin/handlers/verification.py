"""Chains are gone along, page by page, and every hash is computed anew."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from admin.adapters.trail import Trail, count_audited, next_audited
from admin.domain.audit import Head
from admin.domain.verification import Break, Ends, Walk
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
    head = (await _ends(database, organization_id)).head
    return head.position - head.anchor_position if head else 0


async def verify(
    database: Database, organization_id: str | None = None, seen: Mapping[str, Head] = MappingProxyType({})
) -> AsyncIterator[Step]:
    """Go along one organization's chain, or along all of them. A chain is left at its first break.

    A chain that is whole is witnessed. `seen` are heads that the caller has witnessed, whatever the database says.
    """
    current = organization_id or await _next(database, "", seen)
    while current is not None:
        async for step in _go_along(database, current, seen):
            yield step
        current = None if organization_id else await _next(database, current, seen)


async def _go_along(database: Database, organization_id: str, seen: Mapping[str, Head]) -> AsyncIterator[Step]:
    remembered = [seen[organization_id]] if organization_id in seen else []
    ends = await _ends(database, organization_id)
    if ends.nothing and not remembered:
        return
    walk = Walk(organization_id, ends, remembered)
    head, found, position = walk.head, walk.set_out(), walk.head.anchor_position
    while found is None and position < head.position:
        async with database.transaction(organization_id) as connection:
            links = await Trail(connection, organization_id).page(position, head.position, PAGE)
        found = walk.pass_by(links)
        yield Step(organization_id, len(links))
        position = links[-1].position if links else head.position
    verdict = found or walk.arrive()
    if verdict and await _has_moved(database, organization_id, head):
        async for step in _go_along(database, organization_id, seen):
            yield step
        return
    if verdict is None and head != ends.witnessed:
        async with database.transaction(organization_id) as connection:
            await Trail(connection, organization_id).witness(head)
    yield Step(organization_id, verdict=verdict or head)


async def _has_moved(database: Database, organization_id: str, head: Head) -> bool:
    """Whether entries were removed lawfully meanwhile, under the walker's feet."""
    now = (await _ends(database, organization_id)).head
    return now is not None and now.anchor_position != head.anchor_position


async def _ends(database: Database, organization_id: str) -> Ends:
    async with database.transaction(organization_id) as connection:
        return await Trail(connection, organization_id).ends()


async def _next(database: Database, after: str, seen: Mapping[str, Head]) -> str | None:
    async with database.transaction() as connection:
        found = await next_audited(connection, after)
    return min((one for one in (found, *seen) if one is not None and one > after), default=None)
