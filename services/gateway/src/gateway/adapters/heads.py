"""What passes from client to service and back besides bodies: the lines before them."""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer upgrade".split()
)
_NOT_FOR_SERVICES = _HOP_BY_HOP | frozenset(
    # Who calls is said once, in the signed identity; the rest is ours to say, or between the client and us.
    b"host authorization cookie x-organization-id x-request-id x-real-ip forwarded expect".split()
    + b"traceparent tracestate".split()
)
_OURS = (b"x-forwarded-", b"x-routiq-")
_NOT_FOR_CLIENTS = _HOP_BY_HOP | frozenset(
    b"transfer-encoding server date retry-after x-request-id x-powered-by strict-transport-security".split()
)


def request_head(method: str, target: bytes, host: bytes, client: Iterable[Header], ours: Iterable[Header]) -> bytes:
    """The request line and headers for a service: the client's that may pass, and `ours`."""
    client = tuple(client)
    private = _NOT_FOR_SERVICES | _named_by_connection(client)
    lines = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method.encode(), target, host)]
    lines += [b"%b: %b\r\n" % h for h in client if h[0] not in private and not h[0].startswith(_OURS)]
    lines += [b"%b: %b\r\n" % header for header in ours]
    return b"".join(lines) + b"\r\n"


def response_headers(status: int, service: Iterable[Header]) -> list[Header]:
    """The headers of a service's answer that the client gets; names are in lower case."""
    service = tuple(service)
    private = _NOT_FOR_CLIENTS | _named_by_connection(service)
    if status in (204, 304):
        private |= {b"content-length"}  # it would tell of a body that does not follow
    return [header for header in service if header[0] not in private]


def _named_by_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    """Headers declared to be for the next hop only, but never those that frame the body."""
    named = {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}
    return frozenset(named - {b"content-length", b"transfer-encoding"})
