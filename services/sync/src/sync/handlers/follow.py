"""Read what changed in a list since a moment, though it goes on changing.

A row that changes jumps to the end and shifts the others, so that a second page could miss some: after a full page the
first page is asked for again, from the last time seen. Only within one second, when a full page has no other, pages
follow each other by id, or the last comes first.
"""

from datetime import UTC, datetime, timedelta

from chassis import tracing
from sync.domain.clinic import OLDEST_FIRST, BadAnswer, Page
from sync.domain.pages import is_full
from sync.domain.plan import Stream
from sync.domain.reading import moments
from sync.handlers.hold import Hold
from sync.handlers.walk import BY_ID, fetch, land, last_page_first

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Following:
    """One stream, followed from `since`."""

    def __init__(self, stream: Stream, since: datetime, hold: Hold, *, counted: bool) -> None:
        self.stream = stream
        self.walk = stream.walk.once_more(stream.column)
        self.changed = 0
        """How many records were new or changed."""
        number, position = hold.done.reached.get(self.walk.checkpoint, (0, since.isoformat()))
        self._since = datetime.fromisoformat(position)
        self._number = number
        self._hold = hold
        self._counted = counted

    async def first(self) -> Page:
        """The first answer, not landed yet: its total says how much there is."""
        return await self._ask(self._since)

    async def to_the_end(self, page: Page) -> None:
        """Land it and all that follows."""
        with tracing.span(f"follow {self.stream.cursor}"):
            await self._to_the_end(page)

    async def _to_the_end(self, page: Page) -> None:
        while True:
            seen = moments(page.rows, self.stream.column)
            if not is_full(page):
                await self._land(page, self._since)
                return
            if not seen:
                raise BadAnswer
            if max(seen) > self._since.replace(microsecond=0):
                await self._land(page, max(seen))
            else:
                await self._one_second(self._since)
            page = await self._ask(self._since)

    async def _one_second(self, second: datetime) -> None:
        filters = self.stream.between(second, second + SECOND)
        try:
            await self._by_id(filters, second)
        except BadAnswer:  # Cliniko need not sort by id
            async for _, page in last_page_first(lambda number: self._fetch(filters, number, OLDEST_FIRST)):
                await self._land(page, second)
        self._since = second + SECOND

    async def _by_id(self, filters: tuple[str, ...], second: datetime) -> None:
        page = await self._fetch((*filters, "id:>0"), 1, BY_ID)
        while is_full(page):
            await self._land(page, second)
            last = max(int(row["id"]) for row in page.rows)
            page = await self._fetch((*filters, f"id:>{last}"), 1, BY_ID)
        await self._land(page, second)

    async def _ask(self, since: datetime) -> Page:
        try:
            return await self._fetch(self.stream.between(since), 1, f"{self.stream.column}:asc,id:asc")
        except BadAnswer:
            if self.stream.vital:
                raise
            return Page((), 0)  # a column that this list cannot be asked for

    async def _fetch(self, filters: tuple[str, ...], number: int, order: str) -> Page:
        return await fetch(self.stream.walk, filters, number, self._hold, order=order, vital=self.stream.vital)

    async def _land(self, page: Page, goes_on: datetime) -> None:
        self._number, self._since = self._number + 1, goes_on
        if not page.rows:
            return
        self.changed += await land(
            self.walk,
            self._number,
            page,
            self._hold,
            counted=self._counted,
            column=self.stream.column,
            position=goes_on.isoformat(),
            again=True,
        )
