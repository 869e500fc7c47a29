"""What processes have used, as Linux counts it."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of a process and all below it."""

    cpu_seconds: float
    peak_mb: float
    """Of the process itself."""


class Spent(NamedTuple):
    """Seconds, and those of CPU in this process and all below it: on a busy machine only these say something."""

    seconds: float
    cpu: float

    @classmethod
    def so_far(cls) -> "Spent":
        return cls(time.perf_counter(), usage({"all": os.getpid()})["all"].cpu_seconds)

    def until(self, later: "Spent") -> "Spent":
        return Spent(later.seconds - self.seconds, later.cpu - self.cpu)

    def __str__(self) -> str:
        return f"{self.seconds:.1f} ({self.cpu:.1f})"


def usage(processes: Mapping[str, int]) -> Mapping[str, Usage]:
    """By name, for the given process ids."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    return {name: Usage(_tree_seconds(pid, parents), _peak(pid)) for name, pid in processes.items()}


def _tree_seconds(root: int, parents: Mapping[int, int]) -> float:
    children = [pid for pid, parent in parents.items() if parent == root]
    return cpu_seconds(root) + sum(_tree_seconds(child, parents) for child in children)


def _fields(path: Path) -> list[str]:
    """Of `/proc/PID/stat`, from the third one on; none when the process has gone."""
    try:
        return (path / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _parent(path: Path) -> int:
    fields = _fields(path)
    return int(fields[1]) if fields else 0


def cpu_seconds(pid: int) -> float:
    """Of the process and of its children that have ended."""
    fields = _fields(Path(f"/proc/{pid}"))
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
