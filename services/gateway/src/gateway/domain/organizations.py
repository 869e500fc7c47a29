"""Which organization a request is about, and whether its sender may act for it."""

from collections.abc import Mapping
from typing import NamedTuple

from chassis.errors import BadRequest
from gateway.domain.claims import ORGANIZATION_ID, Claims, Role
from gateway.domain.refusals import NotAdmitted


class Standing(NamedTuple):
    """The organization somebody acts for, and as what."""

    organization_id: str
    role: Role


class Admitted(NamedTuple):
    """A person whose request may go on, as the services are told."""

    organization_id: str
    user_id: str
    role: Role
    operator: bool
    impersonator: str | None


def named(in_path: str | None, in_header: str | None) -> str | None:
    """The organization a request names, in its path or in `X-Organization-ID`. Raises BadRequest."""
    for name in (in_path, in_header):
        if name is not None and not ORGANIZATION_ID.fullmatch(name):
            raise BadRequest("Invalid organization_id format")
    if in_path and in_header and in_path != in_header:
        raise BadRequest("The path and X-Organization-ID name different organizations.")
    return in_path or in_header


def standing(claims: Claims) -> Standing:
    """What the session itself says. Raises NotAdmitted."""
    if claims.organization_id is None:
        raise NotAdmitted("No organization is active in this session.", "no_organization")
    return Standing(claims.organization_id, claims.role)


def standing_in(organization_id: str, roles: Mapping[str, Role]) -> Standing:
    """What the person's memberships say. Raises NotAdmitted."""
    role = roles.get(organization_id)
    if role is None:
        raise NotAdmitted("You do not have access to this organization.", "other_organization")
    return Standing(organization_id, role)


def operates(standing: Standing, platform: str | None) -> bool:
    """Routiq itself is operated by who acts as administrator of one organization, the `platform`."""
    return standing.role == "admin" and standing.organization_id == platform
