"""Root must not run PostgreSQL, so its processes are handed to an account that owns nothing."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from routiq.failures import ReportedError


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    def takes(self, path: Path) -> None:
        """Give `path` to this account and close it to all others."""
        os.chown(path, self.uid, self.gid)
        path.chmod(0o700 if path.is_dir() else 0o600)

    def reaches(self, path: Path) -> bool:
        """Whether every directory on the way may be entered by an account that owns none of them."""
        return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def unprivileged() -> Account | None:
    """The account to drop to; none when this process is not root and simply stays who it is."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ReportedError(
            "Running as root needs the account `nobody` for PostgreSQL, and this machine has none."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)
