"""The error envelope, around whatever is refused."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chassis.errors import Refusal, envelope
from gateway.adapters.heads import STATUS_LINES, Header
from gateway.domain.limits import Quota
from gateway.domain.refusals import ClientTooSlow, TooManyRequests
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.framing import Objection

_ALSO_SAID: Mapping[int, tuple[Header, ...]] = {
    401: ((b"www-authenticate", b"Bearer"),),
    405: ((b"allow", b"GET, HEAD"),),
}


async def refuse(exchange: Exchange, refusal: Refusal) -> None:
    """Answer with the envelope, unless an answer has begun: that one stays cut short, which the client can tell."""
    if exchange.status:
        return
    if refusal.status == 408:
        exchange.keep_alive = False
    figures = _rate_limit(exchange.quota) if isinstance(refusal, TooManyRequests) and exchange.quota else {}
    content = envelope(refusal.status, refusal.detail, exchange.path, **figures)
    with suppress(ClientTooSlow):  # the connection has been ended
        await exchange.answer_json(refusal.status, content, *_ALSO_SAID.get(refusal.status, ()))


def objected(objection: Objection) -> bytes:
    """The whole answer to what is no request; it is the connection's last."""
    body = json.dumps(envelope(objection.status, objection.detail, "")).encode()
    head = b"content-type: application/json\r\nconnection: close\r\nx-content-type-options: nosniff\r\n"
    return b"%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINES[objection.status], head, len(body), body)


def _rate_limit(quota: Quota) -> dict[str, Any]:
    figures = {
        "limit": quota.limit,
        "remaining": quota.remaining,
        "reset_time": quota.reset,
        "retry_after": quota.retry_after,
    }
    return {"rate_limit": figures}
