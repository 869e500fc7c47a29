"""The head of every answer: written here, each has its request id, budget, CORS and security headers."""

from collections.abc import Iterable

from gateway.adapters.heads import STATUS_LINES, Header
from gateway.domain.limits import Quota

_SECURITY = (
    b"x-content-type-options: nosniff\r\n"
    b"x-frame-options: DENY\r\n"
    b"referrer-policy: no-referrer\r\n"
    b"strict-transport-security: max-age=31536000; includeSubDomains\r\n"
)
_UNLESS_SAID = (
    (b"content-security-policy", b"content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n"),
    (b"cache-control", b"cache-control: no-store\r\n"),
)
_BUDGET = b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: %d\r\nx-ratelimit-reset: %d\r\nretry-after: %d\r\n"
_CLOSE = b"connection: close\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"


class ServerLines:
    """What the server adds to all answers, which changes once a second: its date, and that it is closing."""

    def __init__(self) -> None:
        self._made_of: list[Header] | None = None
        self._lines = b""
        self.closing = False

    def of(self, headers: list[Header]) -> bytes:
        """The lines for the list uvicorn has now; it makes a new one whenever something changes."""
        if headers is not self._made_of:
            self._made_of = headers
            self.closing = (b"connection", b"close") in headers
            self._lines = b"".join(b"%b: %b\r\n" % header for header in headers if header[0] != b"connection")
        return self._lines


def compose(
    status: int,
    headers: Iterable[Header],
    *,
    common: tuple[bytes, ...],
    request_id: str,
    quota: Quota | None,
    close: bool,
    chunked: bool,
) -> bytes:
    """The bytes of an answer's head: `headers` are its own, `common` are lines of the server and for the browser."""
    lines = [STATUS_LINES[status], *common, _SECURITY]
    said = set()
    for header in headers:
        said.add(header[0])
        lines.append(b"%b: %b\r\n" % header)
    for name, line in _UNLESS_SAID:
        if name not in said:
            lines.append(line)
    lines.append(b"x-request-id: %b\r\n" % request_id.encode())
    if quota:
        lines.append(_BUDGET % quota[:4])
    if close:
        lines.append(_CLOSE)
    if chunked:
        lines.append(_CHUNKED)
    lines.append(b"\r\n")
    return b"".join(lines)
