"""What a process spends its time on: py-spy looks at it again and again, and samples are told apart by their frames."""

import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PY_SPY = Path(sys.executable).with_name("py-spy")
PER_SECOND = "100"
OTHER = "other"

Parts = Mapping[str, tuple[str, ...]]
"""Names of parts with what a frame of theirs holds; the first that is found in a sample has it."""


@contextmanager
def sampled(pid: int, parts: Parts) -> Iterator[dict[str, float]]:
    """The share of each part, once the context is left; empty where a process may not look at another."""
    shares: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="routiq-bench-") as directory:
        file = Path(directory) / "samples"
        options = ("--nonblocking", "--rate", PER_SECOND, "--format", "raw", "--output", str(file), "--pid", str(pid))
        spy = subprocess.Popen([PY_SPY, "record", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield shares
        spy.send_signal(signal.SIGINT)
        spy.wait()
        if file.exists():
            shares |= _shares(file.read_text(), parts)


def _shares(samples: str, parts: Parts) -> dict[str, float]:
    counted: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        counted[_part(stack, parts)] += int(count)
    return {part: count / counted.total() for part, count in counted.most_common()}


def _part(stack: str, parts: Parts) -> str:
    return next((name for name, marks in parts.items() if any(mark in stack for mark in marks)), OTHER)
