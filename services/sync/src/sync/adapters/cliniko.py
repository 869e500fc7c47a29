"""Cliniko over HTTP, within its rules: own region, own rate, patient with its errors, deaf to redirects."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import stamina

from sync.adapters.throttle import Throttle
from sync.domain.clinic import (
    OLDEST_FIRST,
    PAGE_SIZE,
    Away,
    BadAnswer,
    Busy,
    ClinikoError,
    CredentialsRefused,
    Page,
    PermissionDenied,
)
from sync.domain.credentials import base_url

DEFAULT_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 60.0, 90.0

Json = Mapping[str, Any]


class RetryLater(Exception):
    """Tells the retry loop to ask again, after `seconds` if Cliniko said how long; in the end `becomes` is raised."""

    def __init__(self, becomes: type[ClinikoError], seconds: float | None = None) -> None:
        super().__init__()
        self.becomes = becomes
        self.seconds = seconds


class NoSuchRecord(BadAnswer):
    """404 in JSON: the API knows the path, and no such record."""


class Cliniko:
    """One clinic's account. Several pages may be asked for at once; `attempts` counts the first."""

    def __init__(
        self, http: httpx.AsyncClient, template: str, api_key: str, throttle: Throttle, attempts: int = 6
    ) -> None:
        self._http = http
        self._base = base_url(template, api_key)
        self._auth = httpx.BasicAuth(api_key, "")
        self._throttle = throttle
        self._attempts = attempts

    async def check(self) -> None:
        """Ask for the key's own user: the cheapest call, open to every role."""
        await self._get("user", {})

    async def page(
        self, path: str, filters: Sequence[str], number: int, *, size: int = PAGE_SIZE, order: str = OLDEST_FIRST
    ) -> Page:
        """Page `number` of a list. Raises BadAnswer when the answer has not the documented shape."""
        query = {"q[]": list(filters), "sort": order, "page": number, "per_page": size}
        answer = await self._get(path, query)
        rows, total = answer.get(path.partition("/")[0]), answer.get("total_entries")
        if not isinstance(rows, list) or not isinstance(total, int):
            raise BadAnswer
        return Page(rows, total)

    async def record(self, path: str, filters: Sequence[str] = ()) -> Json | None:
        """One record; None when Cliniko says that there is none."""
        try:
            return await self._get(path, {"q[]": list(filters)})
        except NoSuchRecord:
            return None

    async def _get(self, path: str, query: Mapping[str, Any]) -> Json:
        try:
            async for attempt in stamina.retry_context(
                on=_again, attempts=self._attempts, timeout=None, wait_initial=0.5, wait_max=30
            ):
                with attempt:
                    return await self._once(path, query)
        except RetryLater as given_up:
            raise given_up.becomes from None
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _once(self, path: str, query: Mapping[str, Any]) -> Json:
        await self._throttle.wait()
        try:
            async with asyncio.timeout(60):
                response = await self._http.get(f"{self._base}/{path}", params=query, auth=self._auth)
        except (httpx.RequestError, TimeoutError) as error:
            raise RetryLater(Away) from error
        return self._understand(response)

    def _understand(self, response: httpx.Response) -> Json:
        if response.status_code == 429:
            seconds = pause_seconds(response.headers, time.time())
            self._throttle.pause(seconds)
            raise RetryLater(Busy, seconds)
        if response.status_code >= 500:
            raise RetryLater(Away)
        if response.status_code == 404 and "json" in response.headers.get("content-type", ""):
            raise NoSuchRecord
        if response.status_code != 200:
            raise {401: CredentialsRefused, 403: PermissionDenied}.get(response.status_code, BadAnswer)
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            raise RetryLater(BadAnswer) from None
        if not isinstance(answer, dict):
            raise BadAnswer
        return answer


def pause_seconds(headers: Mapping[str, str], now: float) -> float:
    """How long 429 asks us to wait: until X-RateLimit-Reset (unix seconds), kept within reason; 60 s if unreadable."""
    try:
        seconds = float(headers["x-ratelimit-reset"]) - now
    except (KeyError, ValueError):
        return DEFAULT_PAUSE_SECONDS
    return min(max(seconds, 1.0), LONGEST_PAUSE_SECONDS) if seconds == seconds else DEFAULT_PAUSE_SECONDS


def _again(error: Exception) -> bool | float:
    if not isinstance(error, RetryLater):
        return False
    return True if error.seconds is None else error.seconds
