"""What a request for an organization's trail says, checked."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query
from pydantic import TypeAdapter, ValidationError

from admin.domain.audit import Kind
from admin.domain.inquiry import Inquiry
from chassis.errors import BadRequest
from contracts.base import Instant, OrganizationId

_ORGANIZATION = TypeAdapter(OrganizationId)


async def audited_organization(organization_id: Annotated[str, Path(examples=["org_example"])]) -> str:
    """The one in the path; an operator may ask of any."""
    try:
        return _ORGANIZATION.validate_python(organization_id)
    except ValidationError:
        raise BadRequest("Invalid organization_id format") from None


async def asked(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, lt=2**63, description="`next_cursor` of the page before.")] = None,
    patient_id: Annotated[UUID | None, Query(description="As the lists of patients name them.")] = None,
    user_id: Annotated[str | None, Query(pattern=r"^[!-~]{1,128}$")] = None,
    kind: Annotated[Kind | None, Query()] = None,
    since: Annotated[Instant | None, Query(alias="from", description="Of that moment, or later.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Before that moment.")] = None,
) -> Inquiry:
    """The page a request asks for."""
    return Inquiry(
        limit=limit, before=cursor, patient_id=patient_id, user_id=user_id, kind=kind, since=since, until=until
    )


AuditedOrganization = Annotated[str, Depends(audited_organization)]
Asked = Annotated[Inquiry, Depends(asked)]
