"""What a failed message tells of itself in its headers: how often, since when and why; nothing of its content."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from contracts.events import RedriveSettled
from contracts.timestamps import iso

Headers = Mapping[str, Any]

ATTEMPT = "x-routiq-attempt"
"""Of a message that comes back: how often it was tried and failed so far."""
ATTEMPTS = "x-routiq-attempts"
"""Of a dead letter: how often in all."""
REASON = "x-routiq-reason"
FIRST_FAILED, LAST_FAILED = "x-routiq-first-failed", "x-routiq-last-failed"
REDRIVE = "x-routiq-redrive"
"""Who sent it on its way again and is told its end: a table of `organization_id` (the operators') and `letter_id`."""


def of_retry(headers: Headers, attempt: int) -> dict[str, Any]:
    """The headers of a message that is to come back."""
    kept = {REDRIVE: headers[REDRIVE]} if REDRIVE in headers else {}
    return {ATTEMPT: attempt, FIRST_FAILED: _first_failed(headers), **kept}


def of_burial(headers: Headers, attempts: int, reason: str) -> dict[str, Any]:
    """The headers of one that is given up."""
    failed = {FIRST_FAILED: _first_failed(headers), LAST_FAILED: iso(datetime.now(UTC))}
    kept = {REDRIVE: headers[REDRIVE]} if REDRIVE in headers else {}
    return {REASON: reason, ATTEMPTS: attempts, **failed, **kept}


def of_redrive(organization_id: str, letter_id: str) -> dict[str, Any]:
    """The headers of a dead letter that is sent on its way again: it has failed nowhere yet."""
    return {REDRIVE: {"organization_id": organization_id, "letter_id": letter_id}}


def settled(headers: Headers, queue: str, reason: str | None = None) -> RedriveSettled | None:
    """What to tell who redrove this message: that it is applied or, with a reason, dead again. None: nobody did."""
    redrive = headers.get(REDRIVE)
    if not isinstance(redrive, dict):
        return None
    end = {"queue": queue, "outcome": "applied" if reason is None else "dead", "reason": reason}
    try:
        return RedriveSettled.model_validate({**redrive, **end})
    except ValidationError:  # a stranger's header
        return None


def _first_failed(headers: Headers) -> Any:
    return headers.get(FIRST_FAILED) or iso(datetime.now(UTC))
