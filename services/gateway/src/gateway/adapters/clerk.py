"""Clerk's public signing keys: asked for rarely, shared by all requests, and kept while Clerk is away."""

import asyncio
import time
from collections.abc import Callable, Mapping

import httpx
import structlog
from jwt import PyJWK, PyJWKSet
from prometheus_client import Gauge

from chassis.errors import Unavailable
from chassis.logs import describe
from chassis.metrics import turned
from gateway.adapters.measures import Counts

log = structlog.get_logger()

SOFT_AGE_SECONDS = 300
"""After this the keys are fetched again, in the background."""
HARD_AGE_SECONDS = 24 * 3600
"""Until this they are used although Clerk does not answer."""
COOL_DOWN_SECONDS = 30
"""Between two fetches that unknown key ids may cause, so that forged ones cannot make us flood Clerk."""
BACK_OFF_SECONDS = 5
"""After a failed fetch, before a request may cause another."""

FETCHES = Counts("routiq_gateway_jwks_fetches", "Fetches of Clerk's keys.", "outcome", ("fetched", "failed"))
AGE = Gauge("routiq_gateway_jwks_age_seconds", "Since Clerk's keys were last fetched; infinite before.")
FETCHED = Gauge("routiq_gateway_jwks_fetched_timestamp_seconds", "When Clerk's keys were last fetched.")


class SigningKeys:
    """The keys of one Clerk instance, by key id."""

    def __init__(self, url: str, client: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._client, self._clock = url, client, clock
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at = self._looked_again_at = self._failed_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        AGE.set_function(lambda: self._clock() - self._fetched_at)

    @property
    def usable(self) -> bool:
        """Keys are there and not too old to trust."""
        return self._clock() - self._fetched_at < HARD_AGE_SECONDS

    async def keep_fresh(self) -> None:
        """Fetch now and whenever the keys reach their soft age. Raises when a fetch fails: start it again."""
        while True:
            await self._fetch()
            turned("jwks", SOFT_AGE_SECONDS)
            await asyncio.sleep(SOFT_AGE_SECONDS)

    async def find(self, kid: str) -> PyJWK | None:
        """The key with this id, None when Clerk has no such key. Raises Unavailable without any keys."""
        if not self.usable or (kid not in self._keys and self._may_look_again()):
            await self._try_fetch()
        if not self.usable:
            raise Unavailable("Sign-in cannot be checked at the moment. Try again shortly.")
        return self._keys.get(kid)

    def _may_look_again(self) -> bool:
        """Once per cool-down; who comes while that fetch is under way waits for it too."""
        if self._fetching:
            return True
        now = self._clock()
        if now - self._looked_again_at < COOL_DOWN_SECONDS:
            return False
        self._looked_again_at = now
        return True

    async def _try_fetch(self) -> None:
        if not self._fetching and self._clock() - self._failed_at < BACK_OFF_SECONDS:
            return
        try:
            await self._fetch()
        except Exception as error:  # whatever came instead of keys, those we have are kept
            log.warning("Clerk's keys could not be fetched", **describe(error))

    async def _fetch(self) -> None:
        """One fetch at a time: callers share it, and none of them going away stops it."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch_once())
            self._fetching.add_done_callback(self._settled)
        await asyncio.shield(self._fetching)

    async def _fetch_once(self) -> None:
        response = await self._client.get(self._url)
        self._keys = _rsa_keys(response.raise_for_status())
        self._fetched_at = self._clock()

    def _settled(self, fetch: asyncio.Task[None]) -> None:
        self._fetching = None
        if fetch.cancelled():
            return
        if fetch.exception():
            self._failed_at = self._clock()
            FETCHES.inc("failed")
        else:
            FETCHES.inc("fetched")
            FETCHED.set_to_current_time()


def _rsa_keys(response: httpx.Response) -> Mapping[str, PyJWK]:
    """The keys that can have signed a session. Raises ValueError for anything but a key set with one."""
    document = response.json()
    if not isinstance(document, dict):
        raise ValueError("not a key set")
    keys = {key.key_id: key for key in PyJWKSet.from_dict(document).keys if key.key_id and key.key_type == "RSA"}
    if not keys:
        raise ValueError("no RSA key in the key set")
    return keys
