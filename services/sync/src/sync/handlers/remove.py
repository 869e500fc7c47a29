"""Let go of records that Cliniko has erased: only what a whole sweep missed, and Cliniko itself says is not there."""

from collections.abc import Sequence
from uuid import uuid4

import structlog

from contracts.events import RecordsRemoved
from sync.domain import brake
from sync.domain.clinic import PAGE_SIZE, Page
from sync.domain.plan import Walk
from sync.handlers.again import apart
from sync.handlers.hold import Hold, together
from sync.handlers.walk import PAGES_AT_ONCE, fetch, land

log = structlog.get_logger()


async def remove_erased(swept: Sequence[Walk], hold: Hold) -> None:
    """`swept`: the lists that were read whole, with a count that agreed."""
    lists = [walk.leads_to or walk for walk in swept if walk.kind.removed_as]
    missing = {walk: await _missing(walk, hold) for walk in lists}
    if notes := [text for walk, ids in missing.items() if (text := await _held_back(walk, len(ids), hold))]:
        log.warning("removal held back", sync_id=hold.run.sync_id, count=sum(map(len, missing.values())))
        async with hold.transaction() as store:
            hold.run = await store.runs.change(hold.run.sync_id, note=" ".join(notes))
        return
    for walk, ids in missing.items():
        for start in range(0, len(ids), PAGE_SIZE):
            await _remove(walk, start // PAGE_SIZE + 1, ids[start : start + PAGE_SIZE], hold)


async def _missing(walk: Walk, hold: Hold) -> list[str]:
    async with hold.transaction() as store:
        return await store.checkpoints.missing(hold.run.sync_id, walk.kind.name)


async def _held_back(walk: Walk, missing: int, hold: Hold) -> str | None:
    async with hold.transaction() as store:
        known = await store.landing.count(walk.kind.name)
    if hold.run.confirm_removals or not brake.holds_back(missing, known):
        return None
    return brake.note(walk.kind.name, missing, known)


async def _remove(walk: Walk, number: int, ids: Sequence[str], hold: Hold) -> None:
    """Those that are there after all are landed; the others are asked for one by one before they go."""
    there = await fetch(walk, (*walk.wildcards, f"id:={','.join(ids)}"), 1, hold)
    found = [*there.rows, *await _one_by_one(walk, set(ids) - {str(row.get("id")) for row in there.rows}, hold)]
    if found:
        await land(walk.once_more("missed"), number, Page(found, len(found)), hold, counted=False)
    gone = sorted(set(ids) - {str(row.get("id")) for row in found})
    if gone:
        await _let_go(walk, gone, hold)


async def _one_by_one(walk: Walk, ids: set[str], hold: Hold) -> list[dict[str, object]]:
    remaining, found = sorted(ids), []

    async def ask() -> None:
        while remaining:
            row = await hold.clinic.record(f"{walk.path}/{remaining.pop()}", walk.wildcards)
            if row is not None:
                found.append(dict(row))

    await together(ask() for _ in range(PAGES_AT_ONCE))
    return found


async def _let_go(walk: Walk, ids: Sequence[str], hold: Hold) -> None:
    batch_id, kind = uuid4(), walk.kind
    async with hold.transaction() as store:
        _, removed = apart(await store.landing.remove(kind.name, batch_id, ids))
        if removed and kind.removed_as:
            await hold.send(RecordsRemoved, batch_id, {kind.removed_as: removed}, store)
    log.info("records removed", resource=walk.path, count=len(removed), sync_id=hold.run.sync_id)
