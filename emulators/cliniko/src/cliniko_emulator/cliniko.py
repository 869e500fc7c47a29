"""Everything behind the API: the clinics by their keys, the clock, and how the undocumented is decided."""

import time
from collections.abc import Iterable

from cliniko_emulator.accounts import split_key
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.switches import Switches


class Cliniko:
    def __init__(self, clinics: Iterable[Clinic]) -> None:
        self.clinics = list(clinics)
        self.switches = Switches()
        self._doors = {(clinic.account.shard, clinic.account.secret): clinic for clinic in self.clinics}

    def now(self) -> float:
        return time.time() + self.switches.clock_skew_seconds

    def clinic_of(self, shard: str, user_name: str) -> Clinic | None:
        """A shard knows its own accounts only; the suffix is optional, but must not name another shard."""
        secret, named = split_key(user_name)
        return self._doors.get((shard, secret)) if named in {None, shard} else None

    def add_key(self, clinic: Clinic, key: str) -> None:
        """A further key of the same user, who keeps one rate limit."""
        self._doors[_door(key)] = clinic

    def revoke_key(self, key: str) -> None:
        self._doors.pop(_door(key), None)

    def move(self, clinic: Clinic, shard: str) -> None:
        """The clinic's keys open it at another shard only from now on."""
        secrets = [secret for (_, secret), held in self._doors.items() if held is clinic]
        self._doors = {door: held for door, held in self._doors.items() if held is not clinic}
        self._doors.update({(shard, secret): clinic for secret in secrets})


def _door(key: str) -> tuple[str, str]:
    secret, shard = split_key(key)
    return shard or "au1", secret
