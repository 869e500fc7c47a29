"""The services' JSON lines, made readable and followed while they grow."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.text import Text

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")
LEVEL_STYLES = {"warning": "yellow", "error": "bold red", "critical": "bold red", "debug": "dim"}
TOLD_ELSEWHERE = ("timestamp", "level", "event", "service")
LABEL_WIDTH = 10
CONTINUED = f"\n{'':<{LABEL_WIDTH}} | "


def readable(name: str, line: str) -> Text:
    """`name | time level message key=value`; a line that is not JSON stays as it is."""
    label = Text(f"{name:<{LABEL_WIDTH}} | ", style=COLOURS[sum(name.encode()) % len(COLOURS)])
    entry = _entry(line)
    if entry is None:
        return label.append(line, style="dim")
    level = str(entry.get("level", "info"))
    fields = "".join(f" {key}={value}" for key, value in entry.items() if key not in TOLD_ELSEWHERE)
    label.append(f"{_clock(entry.get('timestamp'))} ", style="dim")
    label.append(f"{level:<7} ", style=LEVEL_STYLES.get(level, "default"))
    label.append(str(entry.get("event", "")).replace("\n", CONTINUED), style=LEVEL_STYLES.get(level, "default"))
    return label.append(fields, style="dim")


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _clock(timestamp: object) -> str:
    try:
        return datetime.fromisoformat(str(timestamp)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"


class Follower:
    """Every look yields the complete lines that were added since the one before."""

    def __init__(self, directory: Path, *, from_now: bool = True) -> None:
        self._directory = directory
        self._read = {log: log.stat().st_size for log in directory.glob("*.log")} if from_now else {}

    def look(self) -> Iterator[tuple[str, str]]:
        for log in sorted(self._directory.glob("*.log")):
            with log.open("rb") as file:
                file.seek(self._read.get(log, 0))
                added = file.read()
            complete = added[: added.rfind(b"\n") + 1]
            self._read[log] = self._read.get(log, 0) + len(complete)
            for line in complete.decode(errors="replace").splitlines():
                yield log.stem, line
