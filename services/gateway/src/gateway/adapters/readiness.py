"""How the services are, asked in the background so that no request waits for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import httpx

from chassis.health import STOPPING
from chassis.metrics import turned

POLL_SECONDS = 2.0

State = Literal["ready", "not ready", "away"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a service said last; its checks are remembered while it is away."""

    state: State = "away"
    checks: Mapping[str, bool] = field(default_factory=dict)


class Readiness:
    """The condition of every service, at most a poll old."""

    def __init__(self, urls: Mapping[str, str], client: httpx.AsyncClient) -> None:
        self._urls, self._client = urls, client
        self.conditions: dict[str, Condition] = dict.fromkeys(urls, Condition())

    async def watch(self) -> None:
        """Ask all services, forever."""
        while True:
            await asyncio.gather(*(self._ask(name, url) for name, url in self._urls.items()))
            turned("readiness", POLL_SECONDS)
            await asyncio.sleep(POLL_SECONDS)

    async def _ask(self, name: str, url: str) -> None:
        try:
            answer = (await self._client.get(f"{url}/health/ready")).json()
            if answer["status"] == STOPPING:  # the next poll meets another replica, or nobody
                return
            state: State = "ready" if answer["status"] == "ready" else "not ready"
            self.conditions[name] = Condition(state, dict(answer["checks"]))
        except (httpx.HTTPError, ValueError, KeyError, TypeError):  # away, or something else listens there
            self.conditions[name] = Condition("away", self.conditions[name].checks)
