"""What a verified Clerk token says, whichever of its two versions it is."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chassis.errors import Unauthorized

ORGANIZATION_ID = re.compile(r"org_[A-Za-z0-9_]{1,64}")
_ID = re.compile(r"[!-~]{1,200}")
REFUSED = "Invalid or expired token"

Role = Literal["admin", "member"]


@dataclass(frozen=True, slots=True)
class Claims:
    """Who is signed in, and the organization active in the session."""

    user_id: str
    organization_id: str | None
    role: Role
    expires_at: float
    """Unix seconds."""
    impersonator: str | None
    """Who acts in this person's name: Clerk's `act`."""


def read(payload: Mapping[str, Any], parties: Collection[str]) -> Claims:
    """The claims of a token whose signature, issuer and times were verified.

    `parties` are the origins a token may have been made for; empty allows any. Raises Unauthorized, and TypeError,
    ValueError or AttributeError for what Clerk never writes.
    """
    if payload.get("sts", "active") != "active":  # the other one is "pending"
        raise Unauthorized(REFUSED)
    if parties and "azp" in payload and payload["azp"] not in parties:
        raise Unauthorized(REFUSED)
    organization_id, role = _organization(payload)
    actor = payload.get("act") or {}
    expires_at, *_ = (_number(payload[name]) for name in ("exp", "nbf", "iat") if name in payload)
    return Claims(
        user_id=_matching(_ID, payload["sub"]),
        organization_id=None if organization_id is None else _matching(ORGANIZATION_ID, organization_id),
        role=role_named(role),
        expires_at=expires_at,
        impersonator=_matching(_ID, actor.get("sub")) if actor else None,
    )


def _matching(form: re.Pattern[str], value: Any) -> str:
    if not form.fullmatch(value):
        raise ValueError("not an id")
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, bool | str):
        raise TypeError("not a number")
    return float(value)


def role_named(name: str) -> Role:
    """A role of Clerk's as we know it, with or without the `org:` that version 2 tokens leave out."""
    return "admin" if name.removeprefix("org:") == "admin" else "member"


def _organization(payload: Mapping[str, Any]) -> tuple[str | None, str]:
    """The active organization and the role there."""
    if payload.get("v") == 2:
        active = payload.get("o") or {}
        return active.get("id"), active.get("rol", "")
    return payload.get("org_id"), payload.get("org_role") or ""
