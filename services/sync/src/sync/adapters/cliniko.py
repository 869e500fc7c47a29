"""Cliniko over HTTP, within its rules: own region, own rate, patient with its errors, deaf to redirects."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from secrets import SystemRandom
from typing import Any, TypeVar

import httpx
from opentelemetry.trace import SpanKind

from chassis import tracing
from sync.adapters.answers import Answer, NotThere, OrderRefused, RetryLater, TooMuch, page_of, understand
from sync.adapters.throttle import Throttle
from sync.adapters.traffic import REQUESTS, SECONDS, TURN, outcome_of
from sync.domain.allowance import Urgency
from sync.domain.clinic import OLDEST_FIRST, PAGE_SIZE, Away, BadAnswer, Busy, Json, Page
from sync.domain.credentials import base_url

MOST_BYTES = 16 * 1024 * 1024
"""Of an answer's body: a page of patients with long notes has one or two."""
SMALLEST_PAGE = 25
LONGEST_BACKOFF_SECONDS = 60.0

T = TypeVar("T")
Query = Mapping[str, Any]
Sleep = Callable[[float], Awaitable[None]]
_between = SystemRandom().uniform
_WORD = re.compile("[a-z_]+")


@dataclass(frozen=True)
class Patience:
    """How one asks. `turn_seconds` is how long to wait for room within the limit, None for as long as it takes.

    `pauses_seconds` is how much waiting Cliniko may ask for before being asked to wait counts as an attempt.
    """

    urgency: Urgency
    attempts: int = 6
    turn_seconds: float | None = None
    answer_seconds: float = 60.0
    pauses_seconds: float = 0.0


class Cliniko:
    """One clinic's account. Several pages may be asked for at once."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        template: str,
        api_key: str,
        throttle: Throttle,
        patience: Patience,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._base = base_url(template, api_key)
        self._auth = httpx.BasicAuth(api_key, "")
        self._throttle = throttle
        self._patience = patience
        self._sleep = sleep
        self._fitting: dict[str, int] = {}
        """The page size of lists that took Cliniko too long at a larger one."""
        self._accepted: dict[str, str] = {}
        """For an order that Cliniko refused, the one it takes."""

    async def check(self) -> None:
        """Ask for the key's own user: the cheapest call, open to every role."""
        await self._get("user", {}, _json)

    async def record(self, path: str, filters: Sequence[str] = ()) -> Json | None:
        """None only where Cliniko answers for the record itself; NoSuchList where it does not know the path."""
        try:
            return await self._get(path, {"q[]": list(filters)}, _json)
        except NotThere:
            return None

    async def page(
        self, path: str, filters: Sequence[str], number: int, *, size: int = PAGE_SIZE, order: str = OLDEST_FIRST
    ) -> Page:
        """Where a page takes Cliniko too long, it is read in halves; whoever asked for it does not notice."""
        if size <= self._fitting.get(path, size):
            try:
                return await self._page(path, filters, number, size, self._accepted.get(order, order))
            except TooMuch:
                if not _divisible(size):
                    raise
                self._fitting[path] = size // 2
        half, first_number = size // 2, 2 * number - 1
        first = await self.page(path, filters, first_number, size=half, order=order)
        if not first.continues(first_number, half):
            return first
        second = await self.page(path, filters, first_number + 1, size=half, order=order)
        return Page([*first.rows, *second.rows], second.total, second.more, first.answered_at, first.skew)

    async def _page(self, path: str, filters: Sequence[str], number: int, size: int, order: str) -> Page:
        query = {"q[]": list(filters), "sort": order, "page": number, "per_page": size}
        read = partial(page_of, key=path.partition("/")[0], asked=f"{self._base}/{path}", number=number)
        try:
            return await self._get(path, query, read, too_much_after=2 if _divisible(size) else None)
        except OrderRefused:
            column, comma, _ = order.partition(",")
            if not comma:
                raise
        self._accepted[order] = column  # rows of one second may come in any order then, but they come
        return await self._page(path, filters, number, size, column)

    async def _get(self, path: str, query: Query, read: Callable[[Answer], T], too_much_after: int | None = None) -> T:
        """Asks again, after a while, when that may help; what is raised in the end has no request in its chain."""
        attempt, paused = 0, 0.0
        while True:
            attempt += 1
            try:
                return read(await self._once(path, query))
            except RetryLater as again:
                failure = again
            tries = too_much_after if failure.becomes is TooMuch else failure.tries
            backoff = _between(0, min(LONGEST_BACKOFF_SECONDS, 2.0 ** (attempt - 1)))
            if failure.pause is not None:
                paused += failure.pause
                await self._throttle.pause(failure.pause + backoff)
                if paused <= self._patience.pauses_seconds:
                    attempt -= 1
                    continue
            if attempt >= min(self._patience.attempts, tries or self._patience.attempts):
                raise failure.becomes
            if failure.pause is None:
                await self._sleep(backoff)

    async def _once(self, path: str, query: Query) -> Answer:
        with TURN.time():
            await self._turn()
        template = template_of(path)
        with tracing.span(f"GET {template}", SpanKind.CLIENT, method="GET", route=template) as span:
            try:
                async with asyncio.timeout(self._patience.answer_seconds):
                    with SECONDS.time():
                        response, body = await self._exchange(path, query)
            except (httpx.RequestError, TimeoutError):
                REQUESTS.labels("unreachable").inc()
                raise RetryLater(Away) from None
            span.note(host=response.url.host, status=response.status_code)
            REQUESTS.labels(outcome_of(response.status_code)).inc()
            return understand(response.status_code, response.headers, body, datetime.now(UTC))

    async def _exchange(self, path: str, query: Query) -> tuple[httpx.Response, bytes]:
        async with self._http.stream("GET", f"{self._base}/{path}", params=query, auth=self._auth) as response:
            return response, await _bounded(response)

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._patience.turn_seconds) as waiting:
                await self._throttle.turn(self._patience.urgency)
        except TimeoutError:
            if waiting.expired():
                raise Busy from None
            raise  # the ledger's own


def template_of(path: str) -> str:
    """A path of Cliniko without the ids in it."""
    return "/" + "/".join(part if _WORD.fullmatch(part) else "{id}" for part in path.split("/"))


def _json(answer: Answer) -> Json:
    return answer.json


def _divisible(size: int) -> bool:
    return size > SMALLEST_PAGE and size % 2 == 0


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise BadAnswer
    return bytes(body)
