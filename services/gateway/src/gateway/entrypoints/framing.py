"""What makes a request's head acceptable, beyond that it could be parsed.

The parser is strict about framing (both lengths, bad chunks, folded lines, bare line feeds, NUL); what it lets pass and
a service might read differently is refused here.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from gateway.adapters.heads import Header

HEAD_BYTES = 32 * 1024
HEAD_LINES = 100

_AUTHORITY = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_DECIDING = frozenset({b"host", b"transfer-encoding", b"content-length", b"expect"})
_HOST = re.compile(rb"[A-Za-z0-9._~-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


class Objection(Exception):
    """Why this is no request."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Framing(NamedTuple):
    """How a request's body arrives, if one follows its head."""

    has_body: bool
    expects_continue: bool
    """The client sends it only after it was told to go on."""


_BODILESS = Framing(has_body=False, expects_continue=False)


def examine(version: str, headers: list[Header]) -> Framing:
    """How the request is framed. Raises Objection."""
    if len(headers) > HEAD_LINES:
        raise Objection(431, f"The request's head may have {HEAD_LINES} lines at most.")
    if version not in ("1.1", "1.0"):
        raise Objection(400, "The protocol is HTTP/1.1.")
    deciding = [header for header in headers if header[0] in _DECIDING]
    if len(deciding) == 1 and deciding[0][0] == b"host" and _is_host(deciding[0][1]):
        return _BODILESS  # as nearly all are
    hosts = [value for name, value in deciding if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1") or (hosts and not _is_host(hosts[0])):
        raise Objection(400, "The request must name one host.")
    codings = [value for name, value in deciding if name == b"transfer-encoding"]
    if codings and (version != "1.1" or any(value.lower() != b"chunked" for value in codings)):
        raise Objection(400, "The only transfer coding is chunked, in HTTP/1.1.")
    has_body = bool(codings) or any(name == b"content-length" and value != b"0" for name, value in deciding)
    expects = any(name == b"expect" and value.lower() == b"100-continue" for name, value in deciding)
    return Framing(has_body, expects and version == "1.1")


@lru_cache(maxsize=1024)
def _is_host(value: bytes) -> bool:
    return bool(_HOST.fullmatch(value))


def head_size(url: bytes, headers: list[Header]) -> int:
    """Bytes of a head, about as it was sent."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


class Target(NamedTuple):
    """What is asked for."""

    path: str
    """Percent-decoded: for our own decisions."""
    as_sent: bytes
    """Path and query as the client wrote them: for services."""


def target_of(url: bytes, headers: list[Header]) -> Target:
    """The target of a request line. Raises Objection, ValueError or HttpParserInvalidURLError when it names no path."""
    if url == b"*" or (url.startswith(b"/") and b"#" not in url):
        raw_path, sent = url.partition(b"?")[0], url
    else:
        parsed = httptools.parse_url(url)
        raw_path = parsed.path or b"/"
        sent = raw_path + b"?" + parsed.query if parsed.query else raw_path
        if not url.startswith(b"/"):
            _compare(url, headers)
    path = raw_path.decode("ascii")
    return Target(unquote(path) if "%" in path else path, sent)


def _compare(url: bytes, headers: list[Header]) -> None:
    """A target that names a host must name the one that `Host` names: which of them would count?"""
    named = _AUTHORITY.match(url)
    if named is None or named[1].lower() != dict(headers).get(b"host", named[1]).lower():
        raise Objection(400, "The request must name one host.")
