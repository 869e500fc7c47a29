"""A process that can be recognised later: its id alone may by then be another's."""

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GONE = "gone"
STATE, START_TIME = 0, 19  # positions in /proc/<pid>/stat after the command's closing bracket; see proc(5)


@dataclass(frozen=True)
class Pid:
    number: int
    started: str

    @classmethod
    def of(cls, number: int) -> "Pid":
        return cls(number, _look(number).started)

    def alive(self) -> bool:
        seen = _look(self.number)
        return seen.running and seen.started == self.started

    def signal(self, number: signal.Signals) -> None:
        """Only ever reaches the process that was recorded."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.number, number)

    def kill_group(self) -> None:
        """End it with everything it started, even when itself is gone already; each of our children leads a group.

        The system gives a number to nobody else while a group still bears it.
        """
        if _look(self.number).started in (self.started, GONE):
            with suppress(ProcessLookupError):
                os.killpg(self.number, signal.SIGKILL)


@dataclass(frozen=True)
class _Seen:
    started: str
    """When it began, in the system's own words."""
    running: bool
    """False for one that is dead and not yet collected by its parent."""


def _look(number: int) -> _Seen:
    if not Path("/proc/self/stat").exists():
        return _look_with_ps(number)
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _Seen(GONE, running=False)
    return _Seen(fields[START_TIME], running=fields[STATE] != "Z")


def _look_with_ps(number: int) -> _Seen:
    command = ["/bin/ps", "-o", "lstart=", "-p", str(number)]
    started = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return _Seen(started or GONE, running=bool(started))
