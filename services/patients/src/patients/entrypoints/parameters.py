"""What a request says, checked."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError

from chassis.database import Transaction
from chassis.identity import Identified, OwnOrganization
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
    seal: Seal
    now: datetime

    def header(self, name: str) -> str:
        """All lines of it as one, as RFC 9110 lets lists be sent; empty when there is none."""
        return ",".join(self.http.headers.getlist(name))


async def clock() -> datetime:
    """The one moment at which everything in a request is true."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(clock)]


async def seal(organization_id: OwnOrganization, request: Request) -> Seal:
    """What makes cursors of the organization in the path."""
    return Seal.of(organization_id, request.app.state.identity_key)


OwnSeal = Annotated[Seal, Depends(seal)]


async def asking(
    request: Request,
    organization_id: OwnOrganization,
    caller: Identified,
    connection: Transaction,
    own_seal: OwnSeal,
    now: Now,
) -> Asking:
    """The request, in its transaction."""
    reader = Reader(
        caller.user_id, caller.role, caller.impersonator, caller.request_id or None, template(request.scope)
    )
    return Asking(request, Tenant(connection, organization_id), reader, own_seal, now)


async def listing(
    own_seal: OwnSeal,
    now: Now,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    active: Active = "true",
    search: Annotated[str | None, Query(max_length=100, description="Part of a name, e-mail or phone number.")] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before, for an hour.")] = None,
) -> Listing:
    """The page a request asks for."""
    return Listing(limit, active, search, None if cursor is None else _bookmark(cursor, own_seal, now))


def _bookmark(cursor: str, own_seal: Seal, now: datetime) -> Bookmark:
    try:
        return own_seal.bookmark(cursor, now)
    except ValueError as error:
        problem = {"loc": ("query", "cursor"), "msg": str(error), "type": "cursor"}
        raise RequestValidationError([problem]) from None


Asked = Annotated[Asking, Depends(asking)]
AskedList = Annotated[Listing, Depends(listing)]
