"""Who belongs to which organizations, as Clerk's Backend API lists it."""

from collections.abc import Mapping
from typing import Any

from clerk_emulator.sessions import ROLES, slug

DEFAULT_LIMIT, HIGHEST_LIMIT = 10, 500


class Memberships:
    """Set by `PUT /memberships/{user_id}`, gone with the process."""

    def __init__(self) -> None:
        self._roles: dict[str, Mapping[str, str]] = {}

    def set(self, user_id: str, roles: Any) -> None:
        """`roles` by organization id, instead of those before. Raises ValueError."""
        if not isinstance(roles, dict) or not set(roles.values()) <= set(ROLES):
            raise ValueError(f"a role by organization id: {' or '.join(ROLES)}")
        self._roles[user_id] = roles

    def page(self, user_id: str, limit: int, offset: int) -> dict[str, Any]:
        """One page of a user's memberships. Raises ValueError for a limit or an offset Clerk refuses."""
        if not (1 <= limit <= HIGHEST_LIMIT and offset >= 0):
            raise ValueError(f"limit is 1 to {HIGHEST_LIMIT}, offset not negative")
        roles = self._roles.get(user_id, {})
        wanted = list(roles.items())[offset : offset + limit]
        return {"data": [_membership(user_id, org, role) for org, role in wanted], "total_count": len(roles)}


def _membership(user_id: str, org: str, role: str) -> dict[str, Any]:
    return {
        "object": "organization_membership",
        "id": f"orgmem_{org.removeprefix('org_')}_{user_id.removeprefix('user_')}",
        "role": f"org:{role}",
        "permissions": ["org:sys_memberships:read"],
        "organization": {"object": "organization", "id": org, "name": org, "slug": slug(org)},
        "public_user_data": {"user_id": user_id},
    }
