"""Which organization a request is about, and whether its sender may act for it."""

import re

from chassis.errors import BadRequest, Forbidden
from gateway.domain.claims import Claims

_FORMAT = re.compile(r"org_[A-Za-z0-9_]{1,64}")


def named(in_path: str | None, in_header: str | None) -> str | None:
    """The organization a request names, in its path or in `X-Organization-ID`. Raises BadRequest."""
    for name in (in_path, in_header):
        if name is not None and not _FORMAT.fullmatch(name):
            raise BadRequest("Invalid organization_id format")
    if in_path and in_header and in_path != in_header:
        raise BadRequest("The path and X-Organization-ID name different organizations.")
    return in_path or in_header


def permitted(claims: Claims, organization_id: str | None) -> str:
    """The organization acted for: the one named, without one the session's active one. Raises Forbidden."""
    if claims.organization_id is None:
        raise Forbidden("No organization is active in this session.")
    if organization_id not in (None, claims.organization_id):
        raise Forbidden("You do not have access to this organization.")
    return claims.organization_id


def operates(claims: Claims, platform: str | None) -> bool:
    """Routiq itself is operated by the administrators of one organization, the `platform`."""
    return claims.role == "admin" and platform is not None and claims.organization_id == platform
