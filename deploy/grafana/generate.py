"""Writes the dashboards: `.venv/bin/python deploy/grafana/generate.py [DIRECTORY]`."""

import json
import sys
from pathlib import Path

from boards.database import DATABASE
from boards.gateway import GATEWAY
from boards.messaging import MESSAGING
from boards.overview import OVERVIEW
from boards.panel import rendered
from boards.sync import SYNC


def write(directory: Path) -> None:
    """One file each, beside those that are there."""
    for dashboard in (OVERVIEW, GATEWAY, SYNC, MESSAGING, DATABASE):
        text = json.dumps(rendered(dashboard), indent=2, ensure_ascii=False)
        (directory / f"{dashboard.name}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "dashboards")
