"""Every way a request can be refused, as the document describes it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from chassis.errors import TITLES

RATE_LIMIT = {"limit": 1000, "remaining": 0, "reset_time": 1751285700, "retry_after": 60}


class _Described(NamedTuple):
    name: str
    meaning: str
    detail: str
    more: Mapping[str, Any] = MappingProxyType({})


_DESCRIBED = {
    400: _Described("BadRequest", "The request itself is wrong.", "Invalid organization_id format"),
    401: _Described("Unauthorized", "No token, or none that is valid now.", "Invalid or expired token"),
    403: _Described(
        "Forbidden", "The token is valid, but gives no right to this.", "You do not have access to this organization."
    ),
    404: _Described("NotFound", "There is no such thing, or it is another organization's.", "No such sync."),
    409: _Described("Conflict", "The request is valid, but not at this time.", "Cliniko is not connected."),
    413: _Described("TooLarge", "The body exceeds what is accepted.", "The body may have 1048576 bytes at most."),
    429: _Described(
        "TooManyRequests",
        "The budget of this window is spent; `Retry-After` says when there is a new one.",
        "Too many requests. Try again in 60 seconds.",
        {"rate_limit": RATE_LIMIT},
    ),
    500: _Described("Failed", "Our own fault.", "The server could not answer this request. It has been logged."),
    502: _Described("BadGateway", "A service behind the gateway broke off.", "A service broke its answer off."),
    503: _Described(
        "Unavailable", "Something this answer needs is away.", "A service cannot be reached. Please try again shortly."
    ),
    504: _Described("GatewayTimeout", "A service took too long.", "A service took too long to answer."),
}

HEADERS = {
    name: {"$ref": f"#/components/headers/{name}"}
    for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "X-Request-ID")
}
"""On every answer that passes through the gateway."""

ENVELOPE = {"$ref": "#/components/schemas/Error"}


def reference(status: int, meaning: str | None = None) -> dict[str, Any]:
    """What an operation says of a refusal; `meaning` when it knows better than the common text."""
    common = {"$ref": f"#/components/responses/{_DESCRIBED[status].name}"}
    return {**common, "description": meaning} if meaning else common


def responses() -> dict[str, Any]:
    """The refusals that operations refer to, by name."""
    return {described.name: _response(status, described) for status, described in _DESCRIBED.items()}


def _response(status: int, described: _Described) -> dict[str, Any]:
    example = {
        "error": TITLES[status],
        "detail": described.detail,
        "timestamp": "2025-06-30T12:00:00.000Z",
        "path": "/api/v1/endpoint",
        **described.more,
    }
    headers = {**HEADERS, "WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}}
    return {
        "description": described.meaning,
        "headers": headers if status == 401 else HEADERS,
        "content": {"application/json": {"schema": ENVELOPE, "example": example}},
    }
