"""The dashboards as they are shipped, and what their queries and those of the rules name."""

import json
import re
from pathlib import Path
from typing import Any

from tests.watching.prometheus import DEPLOYED

FILES = sorted((DEPLOYED / "grafana" / "dashboards").glob("*.json"))

Json = dict[str, Any]


def dashboard(file: Path) -> Json:
    read: Json = json.loads(file.read_text())
    return read


def queries(file: Path) -> list[tuple[str, str]]:
    """The title and the PromQL of every query of a dashboard; rates are over a while that a test has."""
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", "1m"))
        for panel in dashboard(file)["panels"]
        for target in panel["targets"]
    ]


def panel(board: str, title: str) -> list[str]:
    """The PromQL of one panel."""
    (file,) = (file for file in FILES if file.stem == board)
    return [expr for name, expr in queries(file) if name == title]


def metrics_of(expr: str) -> set[str]:
    """The names of what is measured."""
    return set(re.findall(r"\b(?:routiq_\w+|up)\b(?!\")", expr))


def labels_of(expr: str) -> set[tuple[str, str]]:
    """Each label that a selector names, with its metric."""
    selectors = re.findall(r"\b(routiq_\w+)\{([^}]*)\}", expr)
    return {(metric, label) for metric, matchers in selectors for label in re.findall(r"(\w+)\s*[!=]~?", matchers)}
