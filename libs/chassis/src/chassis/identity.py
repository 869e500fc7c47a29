"""Who is calling, signed by the gateway for one service and a short time; nobody else is believed.

The header's value is `<base64url of the JSON claims>.<base64url of their HMAC-SHA256>`. The signature covers the
service the call is for, so that what was signed for one service is worth nothing at another.

A key may be several, comma separated, while it is changed: the first one signs, each of them is believed.
"""

import hmac
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Annotated, Any, Literal

import structlog
from fastapi import Depends, Path, Request

from chassis.errors import Forbidden, NotFound, Unauthorized

HEADER = "x-routiq-identity"
REQUEST_ID = "x-request-id"
LIFETIME_SECONDS = 30

_GATEWAYS_OWN = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Role = Literal["admin", "member"]


def is_request_id(text: str) -> bool:
    """True for what the gateway calls a request; whatever else stands in that header may be anything."""
    return _GATEWAYS_OWN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request, acting for one organization."""

    organization_id: str
    user_id: str
    role: Role
    request_id: str = ""
    operator: bool = False
    """Of the platform itself: may use `/api/v1/admin`."""
    impersonator: str | None = None
    """The user id of who acts in this person's name, for the audit."""


_SIGNED = tuple(field.name for field in fields(Caller) if field.name != "request_id")


def sign(caller: Caller, service: str, key: bytes, now: float) -> str:
    """The header with which the gateway vouches for `caller` towards `service`; `now` in unix seconds.

    It holds for all requests of that person: the request id travels beside it.
    """
    claims = {name: getattr(caller, name) for name in _SIGNED}
    claims["expires"] = int(now) + LIFETIME_SECONDS
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return f"{_encode(payload)}.{_encode(_mac(payload, service, newest(key)))}"


def verify(header: str, service: str, key: bytes, now: float, request_id: str = "") -> Caller:
    """The caller the gateway vouched for, in the request of this id. Raises Unauthorized for anything else."""
    expires, claims = _read(header, service, key)
    if expires < now:
        raise Unauthorized("The gateway's signature has expired.")
    return Caller(**claims, request_id=request_id)


@lru_cache(maxsize=1024)
def _read(header: str, service: str, key: bytes) -> tuple[int, Mapping[str, Any]]:
    """When the header expires, and what it claims. The gateway sends a person's header again while it holds."""
    try:
        payload, mac = (urlsafe_b64decode(part) for part in header.encode().split(b"."))
        genuine = any(hmac.compare_digest(mac, _mac(payload, service, one)) for one in key.split(b","))
    except ValueError:
        genuine = False
    if not genuine:
        raise Unauthorized("This service answers the gateway only.")
    claims = json.loads(payload)
    return claims.pop("expires"), claims


def newest(key: bytes) -> bytes:
    """The one that signs."""
    return key.partition(b",")[0]


def _mac(payload: bytes, service: str, key: bytes) -> bytes:
    return hmac.digest(key, service.encode() + b"\0" + payload, "sha256")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


async def identify(request: Request) -> Caller:
    """The caller of this request; every log line after this names the organization."""
    state = request.app.state
    header, request_id = request.headers.get(HEADER, ""), request.headers.get(REQUEST_ID, "")
    caller = verify(header, state.service, state.identity_key, time.time(), request_id)
    structlog.contextvars.bind_contextvars(organization_id=caller.organization_id, request_id=caller.request_id)
    return caller


async def own_organization(organization_id: Annotated[str, Path()], caller: "Identified") -> str:
    """The organization in the path, which must be the one the gateway let the caller act for."""
    if organization_id != caller.organization_id:
        raise NotFound("No such organization.")
    return organization_id


async def administrator(caller: "Identified") -> Caller:
    """A caller who may change the organization's connection."""
    if caller.role != "admin":
        raise Forbidden("Only an administrator of the organization may do this.")
    return caller


async def operator(caller: "Identified") -> Caller:
    """A caller who operates the platform."""
    if not caller.operator:
        raise Forbidden("Only the platform's operators may do this.")
    return caller


Identified = Annotated[Caller, Depends(identify)]
OwnOrganization = Annotated[str, Depends(own_organization)]
Administrator = Annotated[Caller, Depends(administrator)]
Operator = Annotated[Caller, Depends(operator)]
