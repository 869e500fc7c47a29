"""Which browsers' pages may call, and what they may send and read."""

from collections.abc import Collection

from gateway.adapters.heads import Header

ALLOWED_METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED_HEADERS = (
    b"Authorization, Content-Type, Accept, X-Organization-ID, X-Requested-With, X-Request-ID, If-None-Match"
)
EXPOSED_HEADERS = b"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Request-ID, ETag"
PREFLIGHT_SECONDS = b"600"


class Origins:
    """The frontends' origins, exactly as a browser sends them."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(origin.encode() for origin in allowed)

    def headers(self, origin: bytes | None) -> list[Header]:
        """What lets the page of an allowed origin read an answer; for another one the browser sees no permission."""
        if origin not in self._allowed:
            return [(b"vary", b"Origin")]
        return [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED_HEADERS),
        ]


def preflight_headers() -> list[Header]:
    """What a browser may send after it asked."""
    return [
        (b"access-control-allow-methods", ALLOWED_METHODS),
        (b"access-control-allow-headers", ALLOWED_HEADERS),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
    ]
