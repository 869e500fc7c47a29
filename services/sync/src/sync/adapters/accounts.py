"""Cliniko accounts by their key: one HTTP client for all, one throttle for each."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
        self._throttles: dict[bytes, Throttle] = {}

    def open(self, api_key: str) -> Cliniko:
        """For a run: patient with an account that is busy or away."""
        return Cliniko(self._http, self._template, api_key, self._throttle(api_key))

    def probe(self, api_key: str) -> Cliniko:
        """For a person who waits for the answer: one attempt."""
        return Cliniko(self._http, self._template, api_key, self._throttle(api_key), attempts=1)

    def _throttle(self, api_key: str) -> Throttle:
        return self._throttles.setdefault(hashlib.sha256(api_key.encode()).digest(), Throttle())

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Closes the connections at the end."""
        async with self._http:
            yield
