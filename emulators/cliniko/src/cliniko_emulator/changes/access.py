"""Changes to who may read a clinic, and where."""

from collections.abc import Callable

from cliniko_emulator.changes.kinds import Change
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.cliniko import Cliniko


def add_key(cliniko: Cliniko, clinic: Clinic, *, key: str) -> Change:
    """Another key of the clinic's user; both share one rate limit."""
    return _doing(lambda: cliniko.add_key(clinic, key))


def revoke_key(cliniko: Cliniko, clinic: Clinic, *, key: str = "") -> Change:
    """The clinic's own key unless another is named."""
    return _doing(lambda: cliniko.revoke_key(key or clinic.account.key))


def move(cliniko: Cliniko, clinic: Clinic, *, shard: str) -> Change:
    """To another shard: the old address answers 401 from now on, the same secrets open the new one."""
    return _doing(lambda: cliniko.move(clinic, shard))


def _doing(act: Callable[[], None]) -> Change:
    def make(_now: float) -> list[int]:
        act()
        return []

    return make


ACCESS: dict[str, Callable[..., Change]] = {"add_key": add_key, "revoke_key": revoke_key, "move": move}
