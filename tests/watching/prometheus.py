"""Debian's Prometheus with the configuration that is shipped, pointed at a system of ours."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.conftest import System

from routiq.ports import LOOPBACK, free_port

DEPLOYED = Path(__file__).parents[2] / "deploy"
CONFIGURATION, RULES = "prometheus.yml", "rules.yml"
PORTS = {
    "gateway:8000": "PORT",
    "patients:8001": "PATIENTS_PORT",
    "sync:8002": "SYNC_PORT",
    "analytics:8003": "ANALYTICS_PORT",
    "admin:8004": "ADMIN_PORT",
}


@dataclass(frozen=True)
class Prometheus:
    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def query(self, expr: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("query", query=expr)["result"]
        return found

    def raised(self, alert: str) -> list[dict[str, str]]:
        """The labels of each alert of that name that fires now."""
        alerts = self.get("alerts")["alerts"]
        return [one["labels"] for one in alerts if one["state"] == "firing" and one["labels"]["alertname"] == alert]


@contextmanager
def watching(system: System, home: Path) -> Iterator[Prometheus]:
    """It asks every second and raises alerts at once; otherwise the files are those of `deploy`."""
    (home / CONFIGURATION).write_text(_configuration(system))
    (home / RULES).write_text(_hurried((DEPLOYED / "prometheus" / RULES).read_text()))
    port = free_port()
    options = {
        "config.file": str(home / CONFIGURATION),
        "storage.tsdb.path": str(home / "data"),
        "web.listen-address": f"{LOOPBACK}:{port}",
        "log.level": "error",
    }
    program = shutil.which("prometheus")
    assert program, "prometheus is not installed"
    process = subprocess.Popen([program, *(f"--{name}={value}" for name, value in options.items())])
    try:
        prometheus = Prometheus(f"http://{LOOPBACK}:{port}")
        until(lambda: _asks_everyone(prometheus), 30)
        yield prometheus
    finally:
        process.terminate()
        process.wait()


def until(condition: Callable[[], object], seconds: float) -> None:
    """Wait for it to be true. Raises AssertionError when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _configuration(system: System) -> str:
    text = (DEPLOYED / "prometheus" / CONFIGURATION).read_text().replace("15s", "1s")
    for target, port in PORTS.items():
        assert target in text
        text = text.replace(target, f"{LOOPBACK}:{system.environment[port]}")
    return text


def _hurried(rules: str) -> str:
    """No alert waits, and rates are over a short while."""
    return re.sub(r"\[\d+m\]", "[15s]", re.sub(r"for: \d+[mh]", "for: 1s", rules))


def _asks_everyone(prometheus: Prometheus) -> bool:
    try:
        ready = httpx.get(f"{prometheus.url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False
    return ready and len(prometheus.query("up == 1")) == len(PORTS)
