"""What an HTTP answer of Cliniko means: its JSON, or which way it failed and whether asking again may help."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from pydantic_core import from_json

from sync.domain.allowance import LONGEST_PAUSE_SECONDS
from sync.domain.clinic import (
    Away,
    BadAnswer,
    Busy,
    ClinikoError,
    CredentialsRefused,
    Json,
    NoSuchList,
    Page,
    PermissionDenied,
)
from sync.domain.paging import names_next

DEFAULT_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS = 60.0, 1.0


@dataclass(frozen=True)
class Answer:
    """A success. `at` is Cliniko's clock, or ours where it does not tell; `skew` how far it is ahead of ours."""

    json: Json
    at: datetime
    skew: timedelta


class RetryLater(Exception):
    """Asking again may help; if it does not after so many `tries`, the failure is `becomes`."""

    def __init__(self, becomes: type[ClinikoError], *, tries: int | None = None, pause: float | None = None) -> None:
        super().__init__()
        self.becomes = becomes
        self.tries = tries
        self.pause = pause
        """Seconds for which Cliniko wants to hear nothing of this account."""


class TooMuch(Away):
    """504: what was asked for takes Cliniko longer than the 30 seconds it allows itself."""


class OrderRefused(BadAnswer):
    """400: Cliniko does not sort this list by what was asked."""


class NotThere(NoSuchList):
    """404 in JSON: the path is routed, and there is no such record, or it is hidden."""


def understand(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
    """Raises RetryLater, or the ClinikoError that it is. Header names are in lower case or case does not matter."""
    at = _date(headers.get("date")) or now
    if status == 200:
        return Answer(_object(body), at, at - now)
    if status == 429:
        raise RetryLater(Busy, pause=pause_seconds(headers, at))
    if status == 403:
        raise RetryLater(PermissionDenied, tries=2)  # now and then Cliniko says so once, without meaning it
    if status >= 500:
        raise RetryLater(TooMuch if status == 504 else Away)
    raise _refusal(status, body)


def page_of(answer: Answer, key: str, asked: str, number: int) -> Page:
    """The answer to `asked`, page `number` of a list, whose rows stand under `key`."""
    rows, total = answer.json.get(key), answer.json.get("total_entries")
    if not isinstance(rows, list) or not isinstance(total, int):
        raise RetryLater(BadAnswer, tries=3)
    try:
        return Page(rows, max(total, 0), names_next(answer.json, asked, number), answer.at, answer.skew)
    except BadAnswer:
        raise RetryLater(BadAnswer, tries=3) from None


def pause_seconds(headers: Mapping[str, str], at: datetime) -> float:
    """How long 429 asks for silence, by Cliniko's own clock: X-RateLimit-Reset, Retry-After, the later of them.

    Within reason, 1 to 90 s; 60 s when neither can be read.
    """
    reset, retry = _number(headers.get("x-ratelimit-reset")), headers.get("retry-after")
    asked = [] if reset is None else [reset - at.timestamp()]
    if (seconds := _number(retry)) is not None:
        asked.append(seconds)
    elif moment := _date(retry):
        asked.append((moment - at).total_seconds())
    return min(max(*asked, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS) if asked else DEFAULT_PAUSE_SECONDS


def _refusal(status: int, body: bytes) -> ClinikoError:
    if status == 401:
        return CredentialsRefused()
    if status == 404:
        return NotThere() if isinstance(_decoded(body), dict) else NoSuchList()
    if status == 400 and b"sort" in body[:1000].lower():
        return OrderRefused()
    return BadAnswer()


def _object(body: bytes) -> Json:
    """Half an answer, or a web page instead of one, may be whole the next time."""
    answer = _decoded(body)
    if not isinstance(answer, dict):
        raise RetryLater(BadAnswer)
    return answer


def _decoded(body: bytes) -> Any:
    """None when it is no JSON. Control characters within texts are let in; what reads the texts sorts them out."""
    try:
        return from_json(body)  # twice as fast, and stricter
    except ValueError:
        pass
    try:
        return json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
