"""What the gateway does: admit a caller, and say how the system is."""

from collections.abc import Mapping
from typing import Any

from chassis.errors import Unauthorized
from gateway.adapters.memberships import Memberships
from gateway.adapters.readiness import Condition
from gateway.domain import organizations
from gateway.domain.claims import Claims
from gateway.domain.refusals import NotAdmitted
from gateway.domain.routing import Access, Match


def bearer(authorization: str | None) -> str:
    """The token in an `Authorization` header. Raises Unauthorized."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("A bearer token is required")
    return token.strip()


async def stand(claims: Claims, named: str | None, memberships: Memberships | None) -> organizations.Standing:
    """As what somebody acts for the organization `named`, or else their own. Raises NotAdmitted, Unavailable."""
    if named is None or named == claims.organization_id:
        return organizations.standing(claims)
    return organizations.standing_in(named, await memberships.roles(claims.user_id) if memberships else {})


def admit(
    claims: Claims, standing: organizations.Standing, match: Match, platform: str | None
) -> organizations.Admitted:
    """The caller a service may believe in. Raises NotAdmitted."""
    operator = organizations.operates(standing, platform)
    if match.route.access is Access.OPERATORS and not operator:
        raise NotAdmitted("Only the platform's operators may do this.", "operators_only", standing)
    return organizations.Admitted(
        standing.organization_id, claims.user_id, standing.role, operator, claims.impersonator
    )


def health(conditions: Mapping[str, Condition]) -> dict[str, Any]:
    """The system as the services last described themselves."""
    everyone = conditions.values()
    return {
        "status": "healthy" if all(condition.state == "ready" for condition in everyone) else "degraded",
        "services": {name: condition.state for name, condition in conditions.items()},
        "database_configured": all("database" in condition.checks for condition in everyone),
        "encryption_configured": conditions["sync"].checks.get("encryption", False),
    }
