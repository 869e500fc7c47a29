"""How often anybody may ask: fixed windows that start with the first request, one budget per tier and client."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import NamedTuple

WINDOW_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Tier:
    """A budget of requests per window."""

    name: str
    limit: int


PUBLIC = Tier("public", 100)
API = Tier("api", 1000)
SYNC = Tier("sync", 100)
ADMIN = Tier("admin", 50)
TIERS = (PUBLIC, API, SYNC, ADMIN)

_PREFIXES = (("/api/v1/admin", ADMIN), ("/api/v1/sync", SYNC), ("/api/v1", API))


@lru_cache(maxsize=4096)
def tier_of(path: str) -> Tier:
    """The tier a path is counted in, whether or not anything answers there."""
    for prefix, tier in _PREFIXES:
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
            return tier
    return PUBLIC


@lru_cache(maxsize=4096)
def counted_as(address: str) -> str:
    """Whose budget an unknown client's request is taken from: an IPv6 host has a whole /64 to change addresses in."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Network((int(found) >> 64 << 64, 64)))
    return address


class Quota(NamedTuple):
    """What is left of a budget, as the rate limit headers say it."""

    limit: int
    remaining: int
    reset: int
    """Unix seconds."""
    retry_after: int
    """Seconds until the reset."""
    exceeded: bool


def quota(tier: Tier, count: float, end: float, now: float) -> Quota:
    """The budget when `count` were taken from the window that ends at `end`."""
    left = tier.limit - int(count)
    return Quota(tier.limit, left if left > 0 else 0, ceil(end), max(1, ceil(end - now)), count > tier.limit)


class Counters:
    """The windows of this process. Bounded: when full, the window that was opened first is forgotten."""

    def __init__(self, clock: Callable[[], float], capacity: int = 200_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._windows: dict[tuple[str, str], list[float]] = {}
        """`[count, end]` by tier and client, in the order they were opened: nearly that of their ends."""

    def count(self, tier: Tier, client: str) -> Quota:
        """Take one from the client's budget."""
        now = self._clock()
        window = self._windows.get((tier.name, client))
        if window is None or window[1] <= now:
            window = self._open((tier.name, client), now, now + WINDOW_SECONDS)
        window[0] += 1
        return quota(tier, window[0], window[1], now)

    def peek(self, tier: Tier, client: str) -> Quota:
        """The budget as it stands, for answers that cost nothing."""
        now = self._clock()
        count, end = self._windows.get((tier.name, client), (0, now))
        return quota(tier, count, end, now) if end > now else quota(tier, 0, now + WINDOW_SECONDS, now)

    def note(self, tier: Tier, client: str, count: int, end: float) -> None:
        """Take over a window counted elsewhere, to go on with should that place be lost."""
        window = self._windows.get((tier.name, client))
        if window is None or window[1] != end:
            window = self._open((tier.name, client), self._clock(), end)
        window[0] = count

    def _open(self, key: tuple[str, str], now: float, end: float) -> list[float]:
        self._windows.pop(key, None)
        while self._windows and (len(self._windows) >= self._capacity or self._first_end() <= now):
            del self._windows[next(iter(self._windows))]
        window = self._windows[key] = [0, end]
        return window

    def _first_end(self) -> float:
        return next(iter(self._windows.values()))[1]
