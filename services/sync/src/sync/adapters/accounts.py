"""Cliniko accounts by their key: one HTTP client for all, one limit for all who use a key."""

import hashlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from weakref import WeakValueDictionary

import httpx

from sync.adapters.cliniko import Cliniko, Patience
from sync.adapters.ledger import Ledger, OwnLedger
from sync.adapters.throttle import Throttle
from sync.domain.allowance import LIMIT, Urgency

PAUSES_SECONDS = 300.0
"""Five full minutes of 429: then somebody else uses up the limit for good."""
FOR_A_PERSON = Patience(Urgency.ATTENDED, attempts=1, turn_seconds=3, answer_seconds=10)


class Accounts:
    """Opens accounts. `limit` is requests a minute; with a shared ledger it binds all processes together."""

    def __init__(self, template: str, contact: str, ledger: Ledger | None = None, limit: int = LIMIT) -> None:
        self._template = template
        self._ledger = ledger or OwnLedger()
        self._limit = limit
        self._http = httpx.AsyncClient(
            headers={"accept": "application/json", "user-agent": f"Routiq ({contact})"},
            timeout=httpx.Timeout(45, connect=10),  # Cliniko itself gives up after 30 s
            follow_redirects=False,  # a redirect would carry the key elsewhere
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # nor does one clinic's session meet another
        )
        self._throttles: WeakValueDictionary[bytes, Throttle] = WeakValueDictionary()

    def open(self, api_key: str, urgency: Urgency = Urgency.SCHEDULED) -> Cliniko:
        """For a run: patient with an account that is busy or away."""
        return self._account(api_key, Patience(urgency, pauses_seconds=PAUSES_SECONDS))

    def probe(self, api_key: str) -> Cliniko:
        """For a person who waits for the answer: one attempt, ahead of every run. Raises Busy without room for it."""
        return self._account(api_key, FOR_A_PERSON)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _account(self, api_key: str, patience: Patience) -> Cliniko:
        digest = hashlib.sha256(b"cliniko:" + api_key.encode()).digest()
        throttle = self._throttles.get(digest) or Throttle(self._ledger, digest, self._limit)
        self._throttles[digest] = throttle
        return Cliniko(self._http, self._template, api_key, throttle, patience)
