"""Which organization a request is about, and whether its sender may act for it."""

import re

from chassis.errors import BadRequest, Forbidden
from chassis.identity import Caller
from gateway.domain.claims import Claims

_FORMAT = re.compile(r"org_[A-Za-z0-9_]{1,64}", re.ASCII)


def named(in_path: str | None, in_header: str | None) -> str | None:
    """The organization a request names, in its path or in `X-Organization-ID`. Raises BadRequest."""
    for name in (in_path, in_header):
        if name is not None and not _FORMAT.fullmatch(name):
            raise BadRequest("Invalid organization_id format")
    if in_path and in_header and in_path != in_header:
        raise BadRequest("The path and X-Organization-ID name different organizations.")
    return in_path or in_header


def acting(claims: Claims, organization_id: str | None, request_id: str, platform: str | None) -> Caller:
    """The sender acting for `organization_id`, or without one for the session's active organization.

    An administrator of the organization `platform` operates Routiq itself. Raises Forbidden.
    """
    if claims.organization_id is None:
        raise Forbidden("No organization is active in this session.")
    if organization_id not in (None, claims.organization_id):
        raise Forbidden("You do not have access to this organization.")
    return Caller(
        organization_id=claims.organization_id,
        user_id=claims.user_id,
        role=claims.role,
        request_id=request_id,
        operator=claims.role == "admin" and claims.organization_id == platform,
        impersonator=claims.impersonator,
    )
