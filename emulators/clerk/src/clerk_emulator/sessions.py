"""What Clerk says in a session token, in both versions that are in use."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

ROLES = ("admin", "member")
VERSIONS = (1, 2)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and for which organization if any. Raises ValueError for what Clerk would never issue."""

    org: str | None = None
    role: str = "member"
    user: str = "user_2demo"
    version: int = 2
    expires_in: int = 3600
    """Seconds; Clerk's own default is 60, which suits a browser that renews it and nobody with a terminal."""
    azp: str | None = None

    def __post_init__(self) -> None:
        """Refuse wrong types and values by name."""
        for name in ("org", "azp"):
            if not isinstance(getattr(self, name), str | None):
                raise ValueError(f"{name} is text")
        if self.role not in ROLES:
            raise ValueError(f"role is one of {', '.join(ROLES)}")
        if self.version not in VERSIONS:
            raise ValueError("version is 1 or 2")
        if not isinstance(self.user, str) or type(self.expires_in) is not int:
            raise ValueError("user is text and expires_in a number of seconds")

    def claims(self, issuer: str, now: int) -> dict[str, Any]:
        """The token's payload; `now` in unix seconds."""
        common = {
            "iss": issuer,
            "sub": self.user,
            "sid": f"sess_{uuid4().hex}",
            "iat": now,
            "nbf": now - 10,
            "exp": now + self.expires_in,
            "fva": [0, -1],
        }
        if self.azp:
            common["azp"] = self.azp
        return common | (self._version_2() if self.version == 2 else self._version_1())

    def _version_2(self) -> dict[str, Any]:
        claims: dict[str, Any] = {"v": 2, "jti": uuid4().hex, "sts": "active", "pla": "u:free", "fea": "o:patients"}
        if self.org:
            claims["o"] = {"id": self.org, "rol": self.role, "slg": slug(self.org), "per": "read,manage"}
            claims["o"]["fpm"] = "3" if self.role == "admin" else "1"
        return claims

    def _version_1(self) -> dict[str, Any]:
        if not self.org:
            return {}
        permissions = ["org:patients:read", *(["org:patients:manage"] if self.role == "admin" else [])]
        return {
            "org_id": self.org,
            "org_role": f"org:{self.role}",
            "org_slug": slug(self.org),
            "org_permissions": permissions,
        }


def slug(org: str) -> str:
    """The organization's name in addresses."""
    return org.removeprefix("org_").replace("_", "-").lower()
