"""What the services say of themselves, asked in the background and kept while one is away."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from chassis.metrics import turned

POLL_SECONDS = 30.0
FIRST_POLL_SECONDS = 1.0
"""Until every service has been heard once."""

Document = Mapping[str, Any]


class Descriptions:
    """The OpenAPI document of every service that has ever answered."""

    def __init__(self, urls: Mapping[str, str], client: httpx.AsyncClient) -> None:
        self._urls, self._client = urls, client
        self.heard: Mapping[str, Document] = {}
        """A new object whenever something has changed."""

    async def watch(self) -> None:
        """Ask all services, forever."""
        while True:
            await asyncio.gather(*(self._ask(name, url) for name, url in self._urls.items()))
            turned("descriptions", POLL_SECONDS)
            await asyncio.sleep(POLL_SECONDS if self.heard.keys() == self._urls.keys() else FIRST_POLL_SECONDS)

    async def _ask(self, name: str, url: str) -> None:
        try:
            response = (await self._client.get(f"{url}/openapi.json")).raise_for_status()
            document = response.json()
            if not isinstance(document["paths"], dict):
                raise TypeError
        except (httpx.HTTPError, ValueError, KeyError, TypeError):  # away, or not what we asked for
            return
        if document != self.heard.get(name):
            self.heard = {**self.heard, name: document}
