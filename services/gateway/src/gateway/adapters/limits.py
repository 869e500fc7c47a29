"""The budgets of all clients: counted together with the other replicas, or alone while no store can be asked."""

import time
from collections.abc import Callable

from prometheus_client import Counter

from gateway.adapters.pipeline import StoreAway
from gateway.adapters.valkey import Script, Valkey
from gateway.domain.limits import WINDOW_SECONDS, Counters, Quota, Tier, quota

ALONE = Counter("routiq_gateway_limits_alone_total", "Requests this process counted by itself, the store being away.")

_COUNT = Script(
    b"local count = redis.call('INCR', KEYS[1]) "
    b"local left = redis.call('PTTL', KEYS[1]) "
    b"if left < 0 then "
    # On a whole second, so that every replica names the same one as the reset.
    b"redis.call('EXPIREAT', KEYS[1], redis.call('TIME')[1] + ARGV[1]) "
    b"left = redis.call('PTTL', KEYS[1]) "
    b"end "
    b"return {count, left}"
)
_PEEK = Script(b"return {tonumber(redis.call('GET', KEYS[1]) or 0), redis.call('PTTL', KEYS[1])}")
_WINDOW = b"%d" % WINDOW_SECONDS


class Limits:
    """Takes from budgets, in one round trip to the store where there is one. Never fails a request."""

    def __init__(self, store: Valkey | None = None, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._own = Counters(clock)

    async def count(self, tier: Tier, client: str) -> Quota:
        """Take one from the client's budget."""
        if self._store:
            try:
                count, left = await self._store.run(_COUNT, _key(tier, client), _WINDOW)
            except StoreAway:
                ALONE.inc()
            else:
                return self._shared(tier, client, count, left)
        return self._own.count(tier, client)

    async def peek(self, tier: Tier, client: str) -> Quota:
        """The budget as it stands, for answers that cost nothing."""
        if self._store:
            try:
                count, left = await self._store.run(_PEEK, _key(tier, client))
            except StoreAway:
                ALONE.inc()
            else:
                now = self._clock()
                return quota(tier, count, round(now + left / 1000) if left > 0 else now + WINDOW_SECONDS, now)
        return self._own.peek(tier, client)

    def _shared(self, tier: Tier, client: str, count: int, milliseconds_left: int) -> Quota:
        """Also noted here: should the store go away, its windows are gone on with."""
        now = self._clock()
        end = round(now + milliseconds_left / 1000)
        self._own.note(tier, client, count, end)
        return quota(tier, count, end, now)


def _key(tier: Tier, client: str) -> bytes:
    return f"routiq:limit:{tier.name}:{client}".encode()
