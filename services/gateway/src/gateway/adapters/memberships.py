"""The organizations of a person, asked of Clerk's Backend API when a request names another than the session's."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from chassis.errors import Unavailable
from chassis.logs import describe
from gateway.adapters.measures import Counts
from gateway.domain.breaker import REFUSED, Breaker
from gateway.domain.claims import Role, role_named

log = structlog.get_logger()

REMEMBERED_SECONDS = 60
"""How long a revoked membership may still be used."""
PAGE, MOST_PAGES = 100, 50
PATIENCE_SECONDS = 5.0
"""For all pages together."""

LOOK_UPS = Counts(
    "routiq_gateway_memberships",
    "Memberships needed, by how they were found.",
    "outcome",
    ("remembered", "fetched", "refused", "failed"),
)

Roles = Mapping[str, Role]
"""By organization id."""


class Memberships:
    """Everybody's roles as Clerk knows them, each at most a minute old. Without an answer nobody is let in."""

    def __init__(
        self,
        api_url: str,
        secret_key: str,
        client: httpx.AsyncClient,
        breaker: Breaker,
        clock: Callable[[], float] = time.monotonic,
        capacity: int = 10_000,
    ) -> None:
        self._users, self._client, self._breaker = f"{api_url.rstrip('/')}/v1/users", client, breaker
        self._headers = {"Authorization": f"Bearer {secret_key}"}
        self._clock, self._capacity = clock, capacity
        self._remembered: dict[str, tuple[float, Roles]] = {}
        self._fetching: dict[str, asyncio.Task[Roles]] = {}

    async def roles(self, user_id: str) -> Roles:
        """The user's role in each of their organizations. Raises Unavailable."""
        until, roles = self._remembered.get(user_id, (0.0, {}))
        if self._clock() < until:
            LOOK_UPS.inc("remembered")
            return roles
        fetch = self._fetching.get(user_id)
        if fetch is None:
            fetch = self._fetching[user_id] = asyncio.create_task(self._fetch(user_id))
        return await asyncio.shield(fetch)

    async def _fetch(self, user_id: str) -> Roles:
        """Once for all who wait, and to its end though they go away."""
        asked_at = self._clock()
        try:
            roles = await self._ask(user_id)
            self._remember(user_id, asked_at + REMEMBERED_SECONDS, roles)
        finally:
            del self._fetching[user_id]
        return roles

    async def _ask(self, user_id: str) -> Roles:
        ticket = self._breaker.begin()
        if ticket == REFUSED:
            LOOK_UPS.inc("refused")
            raise _unavailable()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                roles = await self._all_pages(f"{self._users}/{quote(user_id, safe='')}/organization_memberships")
        except asyncio.CancelledError:
            self._breaker.abandoned(ticket)
            raise
        except Exception as error:  # whatever came instead of memberships
            self._breaker.failed(ticket)
            LOOK_UPS.inc("failed")
            log.warning("a user's organizations could not be fetched", **describe(error))
            raise _unavailable() from None
        self._breaker.succeeded(ticket)
        LOOK_UPS.inc("fetched")
        return roles

    async def _all_pages(self, url: str) -> Roles:
        roles: dict[str, Role] = {}
        for page in range(MOST_PAGES):
            found, total = await self._page(url, page * PAGE)
            roles.update({item["organization"]["id"]: role_named(item["role"]) for item in found})
            if not found or (page + 1) * PAGE >= total:
                return roles
        raise ValueError("more memberships than anybody can have")

    async def _page(self, url: str, offset: int) -> tuple[list[Any], int]:
        response = await self._client.get(url, params={"limit": PAGE, "offset": offset}, headers=self._headers)
        if response.status_code == httpx.codes.NOT_FOUND:  # a user who was deleted
            return [], 0
        page = response.raise_for_status().json()
        return page["data"], page["total_count"]

    def _remember(self, user_id: str, until: float, roles: Roles) -> None:
        self._remembered.pop(user_id, None)
        if len(self._remembered) >= self._capacity:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[user_id] = (until, roles)


def _unavailable() -> Unavailable:
    return Unavailable("Your organizations cannot be checked at the moment. Try again shortly.")
