"""The kinds of refusal that only a gateway has; the others are the chassis'."""

from collections.abc import Mapping
from typing import Any

from chassis.errors import Refusal, envelope

_TITLES: Mapping[int, str] = {408: "Request timeout", 431: "Request header fields too large"}


class MethodNotAllowed(Refusal):
    """The address exists, for other methods."""

    status = 405


class ClientTooSlow(Refusal):
    """The client stopped sending what it had announced."""

    status = 408


class TooManyRequests(Refusal):
    """The window's budget is spent."""

    status = 429


class BadGateway(Refusal):
    """A service broke off, or answered what is not HTTP."""

    status = 502


class GatewayTimeout(Refusal):
    """A service took too long."""

    status = 504


class Failed(Refusal):
    """Our own fault."""

    status = 500


def enveloped(status: int, detail: str, path: str, **more: Any) -> dict[str, Any]:
    """The body of an error, with titles for those that only a gateway meets."""
    if status in _TITLES:
        more["error"] = _TITLES[status]
    return envelope(status, detail, path, **more)
