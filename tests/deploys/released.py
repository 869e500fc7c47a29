"""The previous release: its code beside today's, run by the same Python environment."""

import io
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import Any

WORKSPACE = Path(__file__).parents[2]
PARTS = ("libs", "services")
"""The emulators and the command line are today's: they stand for the world around, which is not deployed with us."""


def named(entry: str) -> Any:
    """What `released.toml` says: the `commit`, or which schemas were `withdrawn` since."""
    return tomllib.loads((Path(__file__).with_name("released.toml")).read_text())[entry]


def take_out(commit: str, into: Path) -> Path:
    """The source of that commit. Fails, and says why, where the history does not reach back so far."""
    archive = subprocess.run(
        ["git", "-C", str(WORKSPACE), "archive", commit, *PARTS],  # noqa: S607 - whichever git the machine has
        capture_output=True,
        check=False,
    )
    assert archive.returncode == 0, (
        f"the previous release {commit} cannot be had from git: {archive.stderr.decode().strip()}\n"
        "In a shallow clone `git fetch --unshallow` brings the history these tests need."
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as sources:
        sources.extractall(into, filter="data")
    return into


def python_path(root: Path) -> str:
    """What makes a Python of today import the packages below `root`: it comes before the installed ones."""
    return ":".join(str(source) for part in PARTS for source in sorted((root / part).glob("*/src")))
