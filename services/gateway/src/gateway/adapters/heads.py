"""What passes from client to service and back besides bodies: the lines before them."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

Header = tuple[bytes, bytes]

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode() for status in range(1000)]
"""By status."""

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer upgrade".split()
)
_NOT_FOR_SERVICES = _HOP_BY_HOP | frozenset(
    # Who calls is said once, in the signed identity; the rest is ours to say, or between the client and us.
    b"host authorization cookie x-organization-id x-request-id x-real-ip forwarded expect".split()
    + b"traceparent tracestate baggage".split()
)
_OURS = (b"x-forwarded-", b"x-routiq-")
_NOT_FOR_CLIENTS = _HOP_BY_HOP | frozenset(
    b"transfer-encoding server date retry-after x-request-id x-powered-by".split()
    + b"strict-transport-security x-frame-options x-content-type-options referrer-policy".split()
)
_OURS_TO_SAY = (b"access-control-", b"x-ratelimit-", b"x-routiq-")
_NOTHING: frozenset[bytes] = frozenset()


def request_head(method: str, target: bytes, host: bytes, client: Sequence[Header], ours: bytes) -> bytes:
    """The request line and headers for a service: the client's that may pass, and the lines that are `ours`."""
    named = _named_by_connection(client)
    private = _NOT_FOR_SERVICES | named if named else _NOT_FOR_SERVICES
    lines = [b"%b: %b\r\n" % h for h in client if h[0] not in private and not h[0].startswith(_OURS)]
    return b"%b %b HTTP/1.1\r\nhost: %b\r\n%b%b\r\n" % (method.encode(), target, host, b"".join(lines), ours)


def response_headers(status: int, service: Sequence[Header]) -> list[Header]:
    """The headers of a service's answer that the client gets; names are in lower case."""
    named = _named_by_connection(service)
    private = _NOT_FOR_CLIENTS | named if named else _NOT_FOR_CLIENTS
    if status in (204, 304):
        private |= {b"content-length"}  # it would tell of a body that does not follow
    return [header for header in service if header[0] not in private and not header[0].startswith(_OURS_TO_SAY)]


def _named_by_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    """Headers declared to be for the next hop only, but never those that frame the body."""
    declared = [value for name, value in headers if name == b"connection"]
    if not declared:
        return _NOTHING
    named = {token.strip().lower() for value in declared for token in value.split(b",")}
    return frozenset(named - {b"content-length", b"transfer-encoding"})
