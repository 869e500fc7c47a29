"""A dead letter is read by allow-list: what is not one of these ids, moments, counts and words stays unsaid."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from aio_pika.abc import AbstractIncomingMessage

from admin.domain.dead_letters import QUEUES, DeadLetter
from chassis.dead_letters import ATTEMPTS, FIRST_FAILED, LAST_FAILED, REASON, REDRIVE
from chassis.topology import DELIVERY_LIMIT
from contracts.timestamps import iso

DELIVERIES = "x-delivery-count"
UNTOLD = "unknown"

_NAMELESS = UUID("0d9c7a1e-3a64-4c0b-8f0c-6b0f6c1f7a52")
_ID = r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_BROKERS = "rejected|expired|maxlen|delivery_limit"
_HEADERS = {
    REASON: r"[A-Za-z_][A-Za-z0-9_]{0,60}",
    ATTEMPTS: r"\d{1,6}",
    FIRST_FAILED: _MOMENT,
    LAST_FAILED: _MOMENT,
    DELIVERIES: r"\d{1,6}",
    "x-first-death-reason": _BROKERS,
    "x-first-death-queue": "|".join(map(re.escape, QUEUES)),
}
_IDS = {"event_id": _ID, "request_id": _ID, "sync_id": r"sync_org_[A-Za-z0-9_]{1,90}"}
_ORGANIZATION = r"org_[A-Za-z0-9_]{1,64}"


def read(message: AbstractIncomingMessage, queue: str) -> DeadLetter:
    """What may be said of a message in the dead-letter queue of `queue`."""
    told, headers = _told(message.body), _fitting(_HEADERS, message.headers)
    death = _death(message.headers)
    moments = [_moment(headers.get(name)) or death.get("time") for name in (FIRST_FAILED, LAST_FAILED)]
    by_broker = DELIVERY_LIMIT + 1 if death.get("reason") == "delivery_limit" else None
    return DeadLetter(
        letter_id=_id(message.message_id, message.body),
        queue=queue,
        event=QUEUES[queue].event.__name__ if queue in QUEUES else None,
        organization_id=_fitting({"organization_id": _ORGANIZATION}, told).get("organization_id"),
        reason=headers.get(REASON) or headers.get("x-first-death-reason") or UNTOLD,
        attempts=int(headers[ATTEMPTS]) if ATTEMPTS in headers else by_broker,
        first_failed_at=moments[0],
        last_failed_at=moments[1],
        size=len(message.body),
        headers=headers,
        ids=_fitting(_IDS, told),
        redriven_as=_redriven_as(message.headers),
    )


def retold(letter: DeadLetter, message: AbstractIncomingMessage) -> dict[str, Any]:
    """What a letter that is laid down anew tells of itself as before."""
    first, last = letter.first_failed_at, letter.last_failed_at
    told = {
        REASON: letter.reason,
        ATTEMPTS: letter.attempts,
        FIRST_FAILED: first and iso(first),
        LAST_FAILED: last and iso(last),
        REDRIVE: message.headers.get(REDRIVE),
    }
    return {name: value for name, value in told.items() if value is not None}


def deliveries(message: AbstractIncomingMessage) -> int:
    """How often it came back to its queue after somebody looked."""
    count = message.headers.get(DELIVERIES)
    return count if isinstance(count, int) else 0


def _fitting(patterns: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    given = {name: str(values[name]) for name in patterns if isinstance(values.get(name), str | int)}
    return {name: value for name, value in given.items() if re.fullmatch(patterns[name], value)}


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _id(message_id: str | None, body: bytes) -> UUID:
    if message_id and re.fullmatch(_ID, message_id):
        return UUID(message_id)
    return uuid5(_NAMELESS, f"{message_id} {body.hex()}")


def _death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The newest of those that the broker writes down."""
    deaths = headers.get("x-death")
    newest = deaths[0] if isinstance(deaths, list) and deaths else {}
    if not isinstance(newest, dict):
        return {}
    time = newest.get("time")
    return {**newest, "time": time.replace(tzinfo=time.tzinfo or UTC) if isinstance(time, datetime) else None}


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:  # the 31st of June
        return None


def _redriven_as(headers: Mapping[str, Any]) -> UUID | None:
    redrive = headers.get(REDRIVE)
    letter_id = redrive.get("letter_id") if isinstance(redrive, dict) else None
    return UUID(letter_id) if isinstance(letter_id, str) and re.fullmatch(_ID, letter_id) else None
