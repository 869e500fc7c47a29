"""Cliniko accounts by their key: one HTTP client for all, one throttle for all runs of a key."""

import hashlib
from weakref import WeakValueDictionary

import httpx

from sync.adapters.cliniko import Cliniko
from sync.adapters.throttle import Throttle


class Accounts:
    """Opens accounts; two that are opened with one key share its request limit."""

    def __init__(self, template: str, contact: str) -> None:
        self._template = template
        self._http = httpx.AsyncClient(
            headers={"accept": "application/json", "user-agent": f"Routiq ({contact})"},
            timeout=httpx.Timeout(60, connect=10),
            follow_redirects=False,  # a redirect would carry the key elsewhere
        )
        self._throttles: WeakValueDictionary[bytes, Throttle] = WeakValueDictionary()

    def open(self, api_key: str) -> Cliniko:
        """For a run: patient with an account that is busy or away."""
        throttle = self._throttles.setdefault(hashlib.sha256(api_key.encode()).digest(), Throttle())
        return Cliniko(self._http, self._template, api_key, throttle)

    def probe(self, api_key: str) -> Cliniko:
        """For a person who waits for the answer: one attempt, from what the runs' throttle leaves of the limit."""
        return Cliniko(self._http, self._template, api_key, Throttle(), attempts=1)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
