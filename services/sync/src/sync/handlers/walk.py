"""Read a whole list of Cliniko, though it changes meanwhile.

In the order of creation, with every exclusion lifted, only an erased record shifts the pages behind it. Whether one was
missed shows in the count of the first answer; then the list is read once more in the order of ids, each page asked for
as what follows the last id, which nothing can shift, or else from its end, which erasing cannot harm.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from math import ceil

import structlog

from chassis import tracing
from sync.domain.clinic import OLDEST_FIRST, PAGE_SIZE, BadAnswer, NoSuchList, Page, PermissionDenied
from sync.domain.pages import Pages, is_full
from sync.domain.plan import ATTENDEE_WALK, GROUP_WALK, Walk
from sync.domain.reading import read_page
from sync.handlers.groups import Attendances, attendances_for, attendances_of
from sync.handlers.hold import Hold, together

log = structlog.get_logger()

PAGES_AT_ONCE = 8
BY_ID = "id:asc"
BY_ATTENDANCE = {GROUP_WALK.path: attendances_of, ATTENDEE_WALK.path: attendances_for}
"""Lists whose rows become records only together with rows of another list."""


async def walk_whole(walk: Walk, hold: Hold) -> bool:
    """Land every page. True when Cliniko's count agrees with what came."""
    with tracing.span(f"walk {walk.path}"):
        return await _walk_whole(walk, hold)


async def _walk_whole(walk: Walk, hold: Hold) -> bool:
    await _by_page(walk, hold)
    if await _agrees(walk, hold):
        return walk.path not in hold.doubted
    log.warning("list changed or was miscounted while it was read", resource=walk.path, sync_id=hold.run.sync_id)
    try:
        whole = await _by_id(walk.once_more("by id"), hold)
    except BadAnswer:  # Cliniko need not sort by id
        whole = await _backwards(walk.once_more("backwards"), hold)
    return whole and walk.path not in hold.doubted


async def fetch(
    walk: Walk, filters: Sequence[str], number: int, hold: Hold, *, order: str = OLDEST_FIRST, vital: bool | None = None
) -> Page:
    """One page. A list that the run can do without and the key may not read is as good as empty."""
    try:
        return await hold.clinic.page(walk.path, filters, number, order=order)
    except (PermissionDenied, NoSuchList):
        if walk.vital if vital is None else vital:
            raise
        hold.doubted.add(walk.path)
        log.warning("list not readable with this key", resource=walk.path, sync_id=hold.run.sync_id)
        return Page((), 0)


async def land(
    walk: Walk,
    number: int,
    page: Page,
    hold: Hold,
    *,
    counted: bool = True,
    column: str = "updated_at",
    position: str | None = None,
    again: bool = False,
) -> int:
    """Keep a page, with the records that its rows lead to. Returns how many of them are new or changed.

    `again`: rows that an earlier run has followed in the same words are not followed again.
    """
    attendances = await _attendances(walk, page, hold, again=again) if walk.path in BY_ATTENDANCE else None
    reading = read_page(
        walk,
        number,
        page,
        hold.run.source_time,
        column=column,
        position=position,
        expanded=attendances.rows if attendances else None,
    )
    return await hold.land(reading, counted=counted)


async def last_page_first(ask: Callable[[int], Awaitable[Page]]) -> AsyncIterator[tuple[int, Page]]:
    """Every page with its number. A row that goes away shifts others to pages that are still to come."""
    number = max(1, ceil((await ask(1)).total / PAGE_SIZE))
    page = await ask(number)
    if not page.rows:  # miscounted
        number, page = 1, await ask(1)
    while is_full(page):
        number, page = number + 1, await ask(number + 1)
    while number > 0:
        yield number, page
        number -= 1
        page = await ask(number) if number else page


async def _attendances(walk: Walk, page: Page, hold: Hold, *, again: bool) -> Attendances:
    """Whom the rows of a page lead to; nobody when the key may not read the other list."""
    trail = hold.trails[walk.path]
    try:
        found = await BY_ATTENDANCE[walk.path](trail.new(page.rows) if again else page.rows, hold.clinic)
    except (PermissionDenied, NoSuchList):
        log.warning("list of attendances not readable with this key", resource=walk.path, sync_id=hold.run.sync_id)
        found = Attendances((), complete=False)
    if found.complete:
        trail.follow(page.rows)
        hold.trails[ATTENDEE_WALK.path].follow(found.attendees)
    else:
        hold.doubted.add(walk.path)
    return found


async def _by_page(walk: Walk, hold: Hold) -> None:
    """Several pages at once; those landed before a worker was replaced are not read again."""

    async def take(number: int) -> Page:
        page = await fetch(walk, walk.filters, number, hold)
        if page.rows:
            await land(walk, number, page, hold)
        return page

    pages = Pages(await take(1))

    async def go_on() -> None:
        while (number := pages.next()) is not None:
            if (walk.checkpoint, number) not in hold.done.full:
                pages.learn(number, await take(number))

    await together(go_on() for _ in range(min(PAGES_AT_ONCE, pages.last - 1)))


async def _agrees(walk: Walk, hold: Hold) -> bool:
    async with hold.transaction() as store:
        announced, brought = await store.checkpoints.tally(hold.run.sync_id, walk.checkpoint)
    return announced == brought


async def _backwards(walk: Walk, hold: Hold) -> bool:
    async for number, page in last_page_first(lambda number: fetch(walk, walk.filters, number, hold)):
        if page.rows:
            await land(walk, number, page, hold, counted=False)
    return await _agrees(walk, hold)


async def _by_id(walk: Walk, hold: Hold) -> bool:
    """True when the last page was all that was left. Raises BadAnswer when Cliniko does not walk by id."""
    number, position = hold.done.reached.get(walk.checkpoint, (0, "0"))
    while True:
        number += 1
        page = await fetch(walk, (*walk.filters, f"id:>{position}"), 1, hold, order=BY_ID)
        ids = [int(row["id"]) for row in page.rows if str(row.get("id")).isdecimal()]
        if page.rows and min(ids, default=0) <= int(position):
            raise BadAnswer
        position = str(max(ids, default=int(position)))
        await land(walk, number, page, hold, counted=False, position=position)
        if not is_full(page):
            return len(page.rows) == page.total
