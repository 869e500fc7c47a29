"""`/api/v1/webhooks`: what others tell us, signed, without a session."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import Counter
from pydantic import Field, TypeAdapter, ValidationError

from admin import handlers
from admin.adapters.chain import Chain
from admin.adapters.store import Organizations
from admin.domain.testimony import message_uuid
from admin.domain.webhooks import Delivery
from chassis.database import Database
from chassis.errors import BadRequest, Refusal, TooLarge, Unavailable
from chassis.inbox import first_deliveries
from contracts.base import Instant, Message, OrganizationId

MOST_BYTES = 256 * 1024
OUTCOMES = ("handled", "ignored", "repeated", "refused", "unchecked")
DELIVERIES = Counter("routiq_admin_clerk_messages", "Messages said to be Clerk's, by what became of them.", ["outcome"])
for one in OUTCOMES:
    DELIVERIES.labels(one)
CONSUMER = "clerk"
"""Under which the inbox remembers messages for 90 days; Clerk tries for a few."""

_HANDLERS = {
    "organization.created": handlers.organization_created,
    "organization.updated": handlers.organization_updated,
    "organization.deleted": handlers.organization_deleted,
}
_IDS: TypeAdapter[str] = TypeAdapter(OrganizationId)

router = APIRouter(prefix="/api/v1/webhooks", include_in_schema=False)  # for Clerk alone


class ClerkMessage(Message):
    """A message around whatever has happened."""

    type: str
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: Instant | None = None
    """Of what happened: unix time in milliseconds."""


@router.post("/clerk", status_code=204)
async def hear_clerk(request: Request) -> Response:
    """Believe what is signed, once; anything else that Clerk may tell is none of our business."""
    secrets: Sequence[bytes] = request.app.state.webhook_secrets
    if not secrets:
        DELIVERIES.labels("unchecked").inc()
        raise Unavailable("Messages of Clerk cannot be checked here: CLERK_WEBHOOK_SECRET is not set.")
    now = datetime.now(UTC)
    try:
        delivery = Delivery.of(request.headers, await _body(request))
        delivery.check(secrets, now.timestamp())
        outcome = await _hear(delivery, request.app.state.database, now)
    except Refusal:
        DELIVERIES.labels("refused").inc()
        raise
    DELIVERIES.labels(outcome).inc()
    return Response(status_code=204)


async def _hear(delivery: Delivery, database: Database, now: datetime) -> str:
    """What became of it. Raises BadRequest for what Clerk would not send."""
    try:
        message = ClerkMessage.model_validate_json(delivery.body)
        handle = _HANDLERS.get(message.type)
        if handle is None:
            return "ignored"
        organization_id = _IDS.validate_python(message.data.get("id"))
    except ValidationError:
        raise BadRequest("This is no message of Clerk's.") from None
    structlog.contextvars.bind_contextvars(organization_id=organization_id)
    message_id, at = delivery.message_id, message.timestamp or now
    async with database.transaction() as connection:
        if not await first_deliveries(connection, CONSUMER, [message_uuid(message_id)], organization_id):
            return "repeated"
        await handle(organization_id, message_id, at, Organizations(connection), Chain(connection, organization_id))
    return "handled"


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLarge(f"A message may have {MOST_BYTES} bytes at most.")
    return bytes(body)
