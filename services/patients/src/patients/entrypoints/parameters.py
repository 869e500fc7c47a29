"""What a request says, checked."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError

from chassis.database import Transaction
from chassis.identity import OwnOrganization
from patients.adapters.tenant import Tenant
from patients.domain.listing import Active, Listing
from patients.entrypoints.cursor import position


async def own_tenant(organization_id: OwnOrganization, connection: Transaction) -> Tenant:
    """The organization in the path, in the request's transaction."""
    return Tenant(connection, organization_id)


async def clock() -> datetime:
    """The one moment at which everything in a request is true."""
    return datetime.now(UTC)


async def asked(
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    active: Active = "true",
    search: Annotated[str | None, Query(max_length=100, description="Part of a name, e-mail or phone number.")] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Listing:
    """The page a request asks for."""
    try:
        after = None if cursor is None else position(cursor)
    except ValueError:
        problem = {"loc": ("query", "cursor"), "msg": "This is no next_cursor of this list.", "type": "cursor"}
        raise RequestValidationError([problem]) from None
    return Listing(limit, active, search, after)


OwnTenant = Annotated[Tenant, Depends(own_tenant)]
Now = Annotated[datetime, Depends(clock)]
Asked = Annotated[Listing, Depends(asked)]
