"""What a request says, checked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from chassis.database import own_request
from chassis.identity import newest
from chassis.metrics import template
from patients.adapters.tenant import Tenant
from patients.domain.listing import Active, Bookmark, Listing
from patients.domain.reader import Reader
from patients.entrypoints.cursor import Seal


@dataclass(frozen=True)
class Asking:
    """A request for something of an organization's: who wants it, and the moment at which all of it is to be true."""

    http: Request
    tenant: Tenant
    reader: Reader
    now: datetime

    @property
    def seal(self) -> Seal:
        """What makes cursors of the organization."""
        return Seal.of(self.tenant.organization_id, newest(self.http.app.state.identity_key))

    def header(self, name: str) -> str:
        """All lines of it as one, as RFC 9110 lets lists be sent; empty when there is none."""
        return ",".join(self.http.headers.getlist(name))

    def listing(self, wanted: "Wanted") -> Listing:
        """The page that is asked for. Raises RequestValidationError for a cursor that is none of ours."""
        return Listing(wanted.limit, wanted.active, wanted.search, self._bookmark(wanted.cursor))

    def _bookmark(self, cursor: str | None) -> Bookmark | None:
        try:
            return None if cursor is None else self.seal.bookmark(cursor, self.now)
        except ValueError as error:
            problem = {"loc": ("query", "cursor"), "msg": str(error), "type": "cursor"}
            raise RequestValidationError([problem]) from None


async def clock() -> datetime:
    """The one moment at which everything in a request is true."""
    return datetime.now(UTC)


async def asking(
    request: Request, organization_id: Annotated[str, Path()], now: Annotated[datetime, Depends(clock)]
) -> AsyncIterator[Asking]:
    """The request, in its transaction."""
    async with own_request(request, organization_id) as (caller, connection):
        route = template(request.scope)
        reader = Reader(caller.user_id, caller.role, caller.impersonator, caller.request_id or None, route)
        yield Asking(request, Tenant(connection, organization_id), reader, now)


class Wanted(BaseModel):
    """A page of the list, as a request names it."""

    limit: int = Field(500, ge=1, le=1000)
    active: Active = "true"
    search: str | None = Field(None, max_length=100, description="Part of a name, e-mail or phone number.")
    cursor: str | None = Field(None, description="`next_cursor` of the page before, for an hour.")


Asked = Annotated[Asking, Depends(asking, scope="function")]
WantedList = Annotated[Wanted, Query()]
