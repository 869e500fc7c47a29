"""Who was turned away, counted until it is told: what is alike is one, and there is a limit to everything."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contracts.events import RefusalReason, Role
from gateway.domain.claims import Claims
from gateway.domain.organizations import Admitted
from gateway.domain.refusals import NotAdmitted

MOST = 1000
"""Ways of being turned away that are kept apart."""
MOST_OF_ONE = 20
"""Of one person, who could otherwise fill an audit that lasts for years, or keep others out of it."""
SEVERAL = "several"


class TurnedAway(NamedTuple):
    """All that two refusals must share to be counted as one."""

    wanted_organization_id: str
    """Whose door it was: as the person named it, for there may be no such organization."""
    organization_id: str
    """One that is known to be: the session's, or else the platform's."""
    user_id: str
    role: Role | None
    impersonator: str | None
    reason: RefusalReason
    method: str = SEVERAL
    route: str = SEVERAL

    def in_short(self) -> "TurnedAway":
        """The same without what the person may vary at will."""
        own = self.organization_id
        return TurnedAway(own, own, self.user_id, None, self.impersonator, self.reason)


@dataclass(slots=True)
class Sum:
    """How often, from when to when, and the request that was first."""

    what: TurnedAway
    request_id: str
    first_at: datetime
    last_at: datetime
    count: int = 0


class Tally:
    """What has not been told yet."""

    def __init__(self) -> None:
        self._sums: dict[TurnedAway, Sum] = {}
        self._ways: Counter[str] = Counter()
        """By user id."""

    @property
    def count(self) -> int:
        """Refusals, however many ways there were."""
        return sum(one.count for one in self._sums.values())

    @property
    def oldest(self) -> datetime | None:
        """When the first of them happened."""
        return min((one.first_at for one in self._sums.values()), default=None)

    def note(self, what: TurnedAway, request_id: str, now: datetime) -> bool:
        """Count one more; False when there is no room for it."""
        if what not in self._sums and self._ways[what.user_id] >= MOST_OF_ONE:
            what = what.in_short()
        known = self._sums.get(what)
        if known is None:
            if len(self._sums) >= MOST:
                return False
            known = self._sums[what] = Sum(what, request_id, now, now)
            self._ways[what.user_id] += 1
        known.count += 1
        known.last_at = now
        return True

    def take(self) -> Sequence[Sum]:
        """All of it, to be told; counting begins anew."""
        taken = list(self._sums.values())
        self._sums.clear()
        self._ways.clear()
        return taken


def by_gateway(
    refusal: NotAdmitted, claims: Claims, named: str | None, platform: str | None, method: str, route: str
) -> TurnedAway | None:
    """Somebody the gateway does not let in; None without any organization that is known to be."""
    standing, home = refusal.standing, claims.organization_id or platform
    if standing:
        door = home = standing.organization_id
    elif home:
        door = named or home
    else:
        return None
    role = standing.role if standing else None
    return TurnedAway(door, home, claims.user_id, role, claims.impersonator, refusal.reason, method, route)


def by_service(caller: Admitted, method: str, route: str) -> TurnedAway:
    """Somebody whose role did not suffice for a service."""
    door = caller.organization_id
    return TurnedAway(door, door, caller.user_id, caller.role, caller.impersonator, "role", method, route)
