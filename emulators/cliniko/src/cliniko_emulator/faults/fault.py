"""One fault: the requests it meets, how many of them it strikes, and its effect."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from cliniko_emulator.accounts import split_key
from cliniko_emulator.answers import Answer
from cliniko_emulator.call import Call
from cliniko_emulator.query import page

Proceed = Callable[[], Awaitable[Answer]]
# Gives the answer: its own, or what `proceed` gives, perhaps changed.
Effect = Callable[[Call, Proceed], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The requests a fault meets; `path` is a pattern (`*` any, `patients/*`) for what follows `/v1/`."""

    path: str = "*"
    method: str | None = None
    shard: str | None = None
    key: str | None = None
    page: int | None = None

    def meets(self, call: Call) -> bool:
        return (
            fnmatchcase(call.path, self.path)
            and self.method in {None, call.method}
            and self.shard in {None, call.shard}
            and (self.key is None or split_key(self.key)[0] == split_key(call.user_name)[0])
            and self.page in {None, page(call.parameters).number}
        )


@dataclass(slots=True, kw_only=True)
class Fault:
    """Of the requests it meets once `after_seconds` have passed it leaves out `skip` and strikes `times`, 0 for all."""

    id: int
    order: Mapping[str, Any]
    where: Where
    effect: Effect
    skip: int = 0
    times: int = 1
    after_seconds: float = 0
    delay_ms: int = 0
    hits: int = 0
    _met: int = field(default=0, init=False)
    _ordered_at: float = field(default_factory=time.monotonic, init=False)

    def strikes(self, call: Call) -> bool:
        """Counts the request."""
        if self.spent or time.monotonic() < self._ordered_at + self.after_seconds or not self.where.meets(call):
            return False
        self._met += 1
        if self._met <= self.skip:
            return False
        self.hits += 1
        return True

    @property
    def left(self) -> int:
        return max(0, self.times - self.hits)

    @property
    def spent(self) -> bool:
        return self.times > 0 and self.left == 0

    async def work(self, call: Call, proceed: Proceed) -> Answer:
        if self.delay_ms:
            await asyncio.sleep(self.delay_ms / 1000)
        return await self.effect(call, proceed)

    def shown(self) -> dict[str, object]:
        return {"id": self.id, **self.order, "hits": self.hits, "left": self.left if self.times else None}
