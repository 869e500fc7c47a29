"""A whole list as a file, sent while it is read.

A file without its end looks like one: the transfer is chunked and its last chunk missing, so the client knows.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Send

from chassis.errors import Unavailable
from patients import handlers
from patients.domain.listing import Listed, Listing
from patients.entrypoints.accepting import CSV
from patients.entrypoints.conditional import Headers
from patients.entrypoints.parameters import Asking
from patients.entrypoints.spreadsheet import lines

AT_ONCE = 4
"""Exports of one process. Each holds a database connection for as long as its client takes, and pieces need others."""
LONGEST_SECONDS = 600
"""After which a client that hardly reads is cut off: what its snapshot sees, PostgreSQL cannot clean away."""

Row = Callable[[Listed], Sequence[Any]]

_under_way = asyncio.Semaphore(AT_ONCE)


class Export(StreamingResponse):
    """Answers with an error as long as nothing is sent; breaks off afterwards."""

    body_iterator: AsyncGenerator[str, None]

    async def stream_response(self, send: Send) -> None:
        async with _place(), asyncio.timeout(LONGEST_SECONDS), aclosing(self.body_iterator) as pieces:
            begun = await anext(pieces)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": begun.encode(), "more_body": True})
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def export(asking: Asking, listing: Listing, headers: Headers, columns: Sequence[str], row: Row) -> Export:
    """The list as `patients-<organization>-<time>.csv`; limit and cursor do not apply."""
    organization = re.sub(r"[^A-Za-z0-9_]", "", asking.tenant.organization_id)
    name = f"patients-{organization}-{asking.now:%Y%m%dT%H%M%SZ}.csv"
    return Export(
        _pieces(asking, listing, columns, row),
        headers={**headers, "Content-Disposition": f'attachment; filename="{name}"'},
        media_type=f"{CSV}; charset=utf-8; header=present",
    )


async def _pieces(asking: Asking, listing: Listing, columns: Sequence[str], row: Row) -> AsyncGenerator[str, None]:
    database, organization_id = asking.http.app.state.database, asking.tenant.organization_id
    head = lines([columns])
    async with aclosing(handlers.export_patients(listing, organization_id, database, asking.reader)) as stretches:
        async for patients in stretches:
            yield head + lines(map(row, patients))
            head = ""


@asynccontextmanager
async def _place() -> AsyncIterator[None]:
    if _under_way.locked():
        raise Unavailable("Too many exports are under way. Please try again in a moment.")
    async with _under_way:
        yield
