"""What the gateway does: admit a caller, and say how the system is."""

from collections.abc import Mapping
from typing import Any

from chassis.errors import Forbidden, Unauthorized
from chassis.identity import Caller
from gateway.adapters.memberships import Memberships
from gateway.adapters.readiness import Condition
from gateway.adapters.tokens import Tokens
from gateway.domain import organizations
from gateway.domain.claims import Claims
from gateway.domain.routing import Access, Match


async def authenticate(authorization: str | None, tokens: Tokens) -> Claims:
    """Who signs in with this `Authorization` header. Raises Unauthorized."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("A bearer token is required")
    return await tokens.verify(token.strip())


async def stand(
    claims: Claims, match: Match, in_header: str | None, memberships: Memberships | None
) -> organizations.Standing:
    """For which organization the request acts, and as what. Raises BadRequest, Forbidden, Unavailable."""
    named = organizations.named(match.organization_id, in_header)
    if named in (None, claims.organization_id):
        return organizations.standing(claims)
    return organizations.standing_in(named, await memberships.roles(claims.user_id) if memberships else {})


def admit(
    claims: Claims, standing: organizations.Standing, match: Match, request_id: str, platform: str | None
) -> Caller:
    """The caller a service may believe in. Raises Forbidden."""
    operator = organizations.operates(standing, platform)
    if match.route.access is Access.OPERATORS and not operator:
        raise Forbidden("Only the platform's operators may do this.")
    return Caller(standing.organization_id, claims.user_id, standing.role, request_id, operator, claims.impersonator)


def health(conditions: Mapping[str, Condition]) -> dict[str, Any]:
    """The system as the services last described themselves."""
    everyone = conditions.values()
    return {
        "status": "healthy" if all(condition.state == "ready" for condition in everyone) else "degraded",
        "services": {name: condition.state for name, condition in conditions.items()},
        "database_configured": all("database" in condition.checks for condition in everyone),
        "encryption_configured": conditions["sync"].checks.get("encryption", False),
    }
