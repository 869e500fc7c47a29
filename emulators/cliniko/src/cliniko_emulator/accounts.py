"""Which clinics the emulator serves, and how an API key names its shard."""

import re
from dataclasses import dataclass

_SUFFIXED = re.compile(r"(?P<secret>.+)-(?P<shard>[a-z]{2}\d{1,2})", re.IGNORECASE | re.DOTALL)
_ACCOUNT = re.compile(r"(?P<key>.+)=(?P<seed>-?\d+):(?P<patients>\d+)(:(?P<appointments>\d+))?")


def split_key(key: str) -> tuple[str, str | None]:
    """The secret and the shard; a key's own body may hold dashes, so only a suffix that looks like a shard counts."""
    match = _SUFFIXED.fullmatch(key)
    return (match["secret"], match["shard"].lower()) if match else (key, None)


@dataclass(frozen=True, slots=True)
class Account:
    """One clinic: its API key with the shard suffix, the seed of its data, and how many patients it has.

    `appointments`: so many individual ones; by themselves patients have about five each.
    """

    key: str
    seed: int
    patients: int
    appointments: int = 0

    @property
    def secret(self) -> str:
        return split_key(self.key)[0]

    @property
    def shard(self) -> str:
        """Keys without a suffix belong to au1, the shard that existed before there were others."""
        return split_key(self.key)[1] or "au1"


def parse_account(text: str) -> Account:
    """Reads `KEY=SEED:PATIENTS[:APPOINTMENTS]`; raises ValueError when it is not that."""
    match = _ACCOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not KEY=SEED:PATIENTS[:APPOINTMENTS]")
    counts = {name: int(match[name] or 0) for name in ("seed", "patients", "appointments")}
    return Account(key=match["key"], **counts)


DEFAULT_ACCOUNTS = (
    Account(key="MS0-demo-harbour-au4", seed=1, patients=650),
    Account(key="MS0-demo-ridge-uk1", seed=2, patients=240),
)
