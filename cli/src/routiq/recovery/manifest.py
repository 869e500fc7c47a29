"""What a backup says of itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from routiq.failures import ReportedError
from routiq.plan import migrations

DUMP, MANIFEST = "database.dump", "manifest.json"


@dataclass(frozen=True)
class Manifest:
    made_at: str
    """In UTC, by the server's clock: all that was committed until then is in it."""
    revisions: Mapping[str, str]
    """Of each service's schema."""
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, place: Path, made_at: str, revisions: Mapping[str, str]) -> "Manifest":
        dump = place / DUMP
        return cls(made_at, revisions, dump.stat().st_size, _digest(dump))

    @classmethod
    def read(cls, place: Path) -> "Manifest":
        """Raises ReportedError for what is no backup, is not whole, or is of a newer release than this one."""
        try:
            found = cls(**json.loads((place / MANIFEST).read_text()))
            whole = found == cls.of(place, found.made_at, found.revisions)
        except (OSError, ValueError, TypeError):
            raise ReportedError(f"{place} is no backup: `routiq backup` makes directories with {MANIFEST}.") from None
        if not whole:
            raise ReportedError(f"{place / DUMP} is damaged: it is not what {MANIFEST} says. Take another backup.")
        found._refuse_unknown()
        return found

    def write(self, place: Path) -> None:
        file = place / MANIFEST
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def _refuse_unknown(self) -> None:
        for service, revision in self.revisions.items():
            if not list((migrations(service) / "versions").glob(f"{revision}_*.py")):
                raise ReportedError(
                    f"The backup's {service} is at revision {revision}, which this release does not know: "
                    "it was made by a newer one. Restore with that release."
                )


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
