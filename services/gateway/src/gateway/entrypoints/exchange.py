"""One request and its answer: what was asked, what is known of it by now, and how to answer."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from chassis.errors import BadRequest, Refusal, envelope
from chassis.identity import Caller
from gateway.adapters.heads import Header
from gateway.domain.limits import Quota
from gateway.domain.proxies import Proxies
from gateway.domain.refusals import TooManyRequests
from gateway.domain.routing import NOWHERE, Route
from gateway.entrypoints.cors import Origins

_REQUEST_ID = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECURITY: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
)
_UNLESS_SAID: tuple[Header, ...] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_REFUSED_WITH: Mapping[int, tuple[Header, ...]] = {
    401: ((b"www-authenticate", b"Bearer"),),
    408: ((b"connection", b"close"),),
    405: ((b"allow", b"GET, HEAD"),),
}


class Exchange:
    """Every answer leaves through here, so that each has its request id, budget, CORS and security headers."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, origins: Origins, proxies: Proxies) -> None:
        self.scope, self.receive, self._send, self._origins = scope, receive, send, origins
        self.started_at = time.perf_counter()
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        peer = scope["client"]
        self.origin = proxies.origin(peer[0] if peer else "unknown", scope["scheme"], self.headers)
        self.service_seconds = 0.0
        """Spent waiting for a service's first byte."""
        self.answered_at = 0.0
        offered = self.headers.get(b"x-request-id", b"")
        self.request_id = offered.decode() if _REQUEST_ID.fullmatch(offered) else str(uuid4())
        self.route: Route = NOWHERE
        self.caller: Caller | None = None
        self.quota: Quota | None = None
        self.status = 0
        """Of the answer, once it has started."""
        self.complete = False

    @property
    def client(self) -> str:
        """The address of who asks."""
        return self.origin.client

    @property
    def asks_permission(self) -> bool:
        """A browser asks whether a page may make a request."""
        return self.method == "OPTIONS" and b"access-control-request-method" in self.headers

    def header(self, name: bytes) -> str | None:
        """A request header as text. Raises BadRequest when it was sent more than once: which one would count?"""
        value = self.headers.get(name)
        if len(self.headers) < len(self.scope["headers"]) and [key for key, _ in self.scope["headers"]].count(name) > 1:
            raise BadRequest(f"Send the header {name.decode()} once.")
        return None if value is None else value.decode("latin-1")

    async def start(self, status: int, headers: list[Header]) -> None:
        """Begin the answer."""
        self.status = status
        self.answered_at = time.perf_counter()
        headers += _SECURITY
        headers.append((b"x-request-id", self.request_id.encode()))
        headers += self._origins.headers(self.headers.get(b"origin"))
        if self.quota:
            headers += _budget(self.quota)
        said = {name for name, _ in headers}
        headers += [header for header in _UNLESS_SAID if header[0] not in said]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, body: bytes, more: bool) -> None:
        """Pass a piece of the body on; waits for a client that reads slowly."""
        self.complete = not more
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(self, status: int, content: bytes, kind: bytes, *more: Header) -> None:
        """A whole answer at once."""
        await self.start(status, [(b"content-type", kind), (b"content-length", b"%d" % len(content)), *more])
        await self.send(content, more=False)

    async def answer_json(self, status: int, content: Mapping[str, Any], *more: Header) -> None:
        """A whole answer in JSON."""
        await self.answer(status, json.dumps(content).encode(), b"application/json", *more)

    async def refuse(self, refusal: Refusal) -> None:
        """The error envelope, unless an answer has begun: that one stays cut short, which the client can tell."""
        if self.status:
            return
        figures = _rate_limit(self.quota) if isinstance(refusal, TooManyRequests) and self.quota else {}
        content = envelope(refusal.status, refusal.detail, self.path, **figures)
        await self.answer_json(refusal.status, content, *_REFUSED_WITH.get(refusal.status, ()))


def _budget(quota: Quota) -> list[Header]:
    return [
        (b"x-ratelimit-limit", b"%d" % quota.limit),
        (b"x-ratelimit-remaining", b"%d" % quota.remaining),
        (b"x-ratelimit-reset", b"%d" % quota.reset),
        (b"retry-after", b"%d" % quota.retry_after),
    ]


def _rate_limit(quota: Quota) -> dict[str, Any]:
    figures = {
        "limit": quota.limit,
        "remaining": quota.remaining,
        "reset_time": quota.reset,
        "retry_after": quota.retry_after,
    }
    return {"rate_limit": figures}
