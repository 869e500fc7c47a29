"""Errors have a kind; this is the one table that turns a kind into an answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from contracts.timestamps import iso


class Refusal(Exception):
    """An answer other than success that the caller should see; `detail` is written for people."""

    status: ClassVar[int] = 400
    detail: str

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadRequest(Refusal):
    """The request itself is wrong."""


class Unauthorized(Refusal):
    """Nobody we know asks."""

    status = 401


class Forbidden(Refusal):
    """We know who asks, and they may not."""

    status = 403


class NotFound(Refusal):
    """There is no such thing, or it is another organization's: never told apart."""

    status = 404


class Conflict(Refusal):
    """A valid request at the wrong time."""

    status = 409


class TooLarge(Refusal):
    """The body exceeds what is accepted."""

    status = 413


class Unavailable(Refusal):
    """Something this answer needs is away."""

    status = 503


TITLES: Mapping[int, str] = {
    400: "Validation error",
    401: "Authentication failed",
    403: "Access denied",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    413: "Payload too large",
    429: "Rate limit exceeded",
    431: "Request header fields too large",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}


def envelope(status: int, detail: str, path: str, **more: Any) -> dict[str, Any]:
    """The body of every error: `{error, detail, timestamp, path}`."""
    return {
        "error": TITLES.get(status, "Request failed"),
        "detail": detail,
        "timestamp": iso(datetime.now(UTC)),
        "path": path,
        **more,
    }
