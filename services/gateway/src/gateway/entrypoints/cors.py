"""Which browsers' pages may call, and what they may send and read."""

from collections.abc import Collection

from gateway.adapters.heads import Header

ALLOWED_METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED_HEADERS = (
    b"Authorization, Content-Type, Accept, X-Organization-ID, X-Requested-With, X-Request-ID, If-None-Match"
    b", Last-Event-ID"  # with which the stream of a run's progress is taken up again
)
EXPOSED_HEADERS = b"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Request-ID, ETag"
PREFLIGHT_SECONDS = b"600"

_VARIES = b"vary: Origin\r\n"
_GRANT = _VARIES + b"access-control-allow-origin: %b\r\naccess-control-expose-headers: %b\r\n"


class Origins:
    """The frontends' origins, exactly as a browser sends them."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = {origin.encode(): _GRANT % (origin.encode(), EXPOSED_HEADERS) for origin in allowed}

    def lines(self, origin: bytes | None) -> bytes:
        """What lets the page of an allowed origin read an answer; for another one the browser sees no permission."""
        return self._allowed.get(origin, _VARIES) if origin else _VARIES


def preflight_headers() -> list[Header]:
    """What a browser may send after it asked."""
    return [
        (b"access-control-allow-methods", ALLOWED_METHODS),
        (b"access-control-allow-headers", ALLOWED_HEADERS),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
    ]
