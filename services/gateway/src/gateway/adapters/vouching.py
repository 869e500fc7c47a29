"""Who calls, as the services are told: signed once for a person and a service, and used again for a few seconds."""

import time
from collections.abc import Callable

from chassis.identity import LIFETIME_SECONDS, Caller, sign
from gateway.domain.organizations import Admitted

USED_SECONDS = LIFETIME_SECONDS / 3
CAPACITY = 20_000


class Vouching:
    """Signs with the key that the gateway shares with the services."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock
        self._signed: dict[tuple[Admitted, str], tuple[float, bytes]] = {}

    def identity(self, caller: Admitted, service: str) -> bytes:
        """The identity header's value for a call of `service`."""
        now = self._clock()
        found = self._signed.get((caller, service))
        return found[1] if found and now < found[0] else self._sign(caller, service, now)

    def _sign(self, caller: Admitted, service: str, now: float) -> bytes:
        signed = sign(Caller(**caller._asdict()), service, self._key, now).encode()
        if len(self._signed) >= CAPACITY:
            self._signed.clear()
        self._signed[caller, service] = (now + USED_SECONDS, signed)
        return signed
