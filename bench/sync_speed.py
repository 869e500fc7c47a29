"""`make bench-sync`: from the trigger of a run until its clinic can be read through the gateway, on this machine.

(a) a clinic of the usual size behind Cliniko's latency and limit, (b) a large one with neither, and where the time of
two cores goes, (c) the peak memory of each service, again for a clinic ten times larger with LARGE=1, (d) an
incremental run with nothing new. Everything is started by the one command, beside an emulator of Cliniko.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from measures import usage
from parts import sampled
from routiq.ports import LOOPBACK, free_port

ROUTIQ = str(Path(sys.executable).with_name("routiq"))
PORTS = (
    "PORT",
    "PATIENTS_PORT",
    "SYNC_PORT",
    "ANALYTICS_PORT",
    "ADMIN_PORT",
    "CLERK_PORT",
    "POSTGRES_PORT",
    "AMQP_PORT",
)
LATENCY_MS, LIMIT = 150, 200
UNLIMITED = 10_000_000
FAST_LOOKS, FAST_SECONDS, STREAM_SECONDS = 40, 0.1, 1.0
PATIENCE_SECONDS = 1800.0

PARTS_OF_SYNC = {
    "relay": ("publish_page", "chassis/outbox.py"),
    "receipts": ("chassis/settlement.py", "chassis/messaging.py", "chassis/consumers.py"),
    "client": ("sync/adapters/cliniko.py", "sync/adapters/throttle.py"),
    "landing": ("sync/handlers/",),
    "broker's connection": ("aiormq/", "aio_pika/", "pamqp/"),
    "statements of all": ("sqlalchemy/", "asyncpg/"),
}

out = Console()


@dataclass(frozen=True)
class Clinic:
    """A generated clinic, by the size it is asked for."""

    name: str
    patients: int
    appointments: int

    @property
    def organization(self) -> str:
        return f"org_bench_{self.name}"

    @property
    def key(self) -> str:
        return f"MS0-bench-{self.name}-au4"

    @property
    def account(self) -> str:
        return f"{self.key}=1:{self.patients}:{self.appointments}"


USUAL = Clinic("usual", 651, 296)
BIG = Clinic("big", 10_000, 100_000)
HUGE = Clinic("huge", 100_000, 1_000_000)


@dataclass(frozen=True)
class Trial:
    """A running system, its emulator of Cliniko, and their processes."""

    home: Path
    environment: Mapping[str, str]
    processes: Mapping[str, int]

    @contextmanager
    def client(self, clinic: Clinic) -> Iterator[httpx.Client]:
        """The gateway, for an administrator of the clinic."""
        token = routiq(self.home, self.environment, "token", "--org", clinic.organization).strip()
        address = f"http://{LOOPBACK}:{self.environment['PORT']}"
        with httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=60) as http:
            yield http

    def connect(self, clinic: Clinic) -> None:
        """Give Routiq the clinic's key."""
        with self.client(clinic) as http:
            path = f"/api/v1/cliniko/connection/{clinic.organization}"
            http.put(path, json={"api_key": clinic.key}).raise_for_status()

    def cliniko(self, method: str, path: str, **options: Any) -> Any:
        """Of the emulator, behind the scenes."""
        root = self.environment["CLINIKO_API_URL"].removesuffix("/{shard}/v1")
        return httpx.request(method, f"{root}/_control/{path}", **options).raise_for_status()

    def run(self, clinic: Clinic, mode: str) -> float:
        """Seconds from the trigger until the run says `completed` and the clinic's list can be read."""
        with self.client(clinic) as http:
            started = time.perf_counter()
            path = f"/api/v1/cliniko/sync/{clinic.organization}"
            wait(http, http.post(path, params={"mode": mode}).raise_for_status().json()["sync_id"])
            http.get(f"/api/v1/patients/{clinic.organization}/patients").raise_for_status()
            return time.perf_counter() - started


def wait(http: httpx.Client, sync_id: str) -> None:
    """Looks at first, for a run of seconds; then along the stream, for the gateway counts looks."""
    deadline, path = time.monotonic() + PATIENCE_SECONDS, f"/api/v1/sync/progress/{sync_id}"
    for _ in range(FAST_LOOKS):
        if completed(http.get(path).raise_for_status().json()):
            return
        time.sleep(FAST_SECONDS)
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError), http.stream("GET", f"{path}/stream") as answer:
            for line in answer.raise_for_status().iter_lines():
                if line.startswith("data:") and completed(json.loads(line.removeprefix("data:"))):
                    return
        time.sleep(STREAM_SECONDS)
    raise SystemExit("the run did not end")


def completed(seen: Mapping[str, Any]) -> bool:
    """Of a run's progress; a run that ended in another way ends the bench."""
    if seen["status"] not in ("queued", "running", "completed"):
        raise SystemExit(f"the run ended as {seen['status']}: {seen.get('failure')}")
    return bool(seen["status"] == "completed")


def routiq(home: Path, environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run([ROUTIQ, *arguments], cwd=home, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"routiq {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def system(*clinics: Clinic) -> Iterator[Trial]:
    """Routiq in a directory of its own, and a Cliniko with these clinics."""
    with tempfile.TemporaryDirectory(prefix="routiq-bench-") as directory, ExitStack() as stack:
        home, port = Path(directory), free_port()
        accounts = [argument for clinic in clinics for argument in ("--account", clinic.account)]
        command = [sys.executable, "-m", "cliniko_emulator", "--port", str(port), "--rate-limit", str(UNLIMITED)]
        emulator = subprocess.Popen([*command, *accounts], stdout=subprocess.DEVNULL)
        stack.callback(emulator.terminate)
        environment = {
            **os.environ,
            **{name: str(free_port()) for name in PORTS},
            "CLINIKO_API_URL": f"http://{LOOPBACK}:{port}/{{shard}}/v1",
            "CLINIKO_REQUESTS_PER_MINUTE": str(UNLIMITED),
        }
        until_listening(port)
        stack.callback(routiq, home, environment, "down")
        routiq(home, environment, "up", "--detach")
        record = json.loads((home / ".routiq" / "state.json").read_text())
        pids = {one["name"]: one["pid"]["number"] for one in record["processes"] if one["state"] == "ready"}
        yield Trial(home, environment, {**pids, "cliniko": emulator.pid})


def until_listening(port: int) -> None:
    """A large clinic takes its time to be made."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            httpx.get(f"http://{LOOPBACK}:{port}/_control/health")
            return
        time.sleep(0.2)
    raise SystemExit("the emulator of Cliniko does not answer")


def usual(trial: Trial) -> None:
    """(a), then (d) on the same clinic."""
    trial.connect(USUAL)
    trial.cliniko("PATCH", "settings", json={"latency_ms": LATENCY_MS, "rate_limit": LIMIT})
    seconds = trial.run(USUAL, "comprehensive")
    out.print(f"(a) {USUAL.patients} patients, {USUAL.appointments} appointments, {LATENCY_MS} ms: {seconds:.2f} s")
    trial.cliniko("PATCH", "settings", json={"latency_ms": 0, "rate_limit": LIMIT})
    trial.cliniko("DELETE", "requests")
    seconds = trial.run(USUAL, "incremental")
    out.print(f"(d) nothing new: {seconds:.2f} s, {trial.cliniko('GET', 'requests').json()['total']} requests")


def large(trial: Trial, clinic: Clinic) -> None:
    """(b) and (c)."""
    trial.connect(clinic)
    before = usage(trial.processes)
    with sampled(trial.processes["sync"], PARTS_OF_SYNC) as shares:
        seconds = trial.run(clinic, "comprehensive")
        after = usage(trial.processes)
    records = clinic.patients + clinic.appointments
    table = Table("process", "CPU s", "share", "peak MB", title=f"{records:,} records")
    spent = {name: after[name].cpu_seconds - before[name].cpu_seconds for name in after}
    for name, cpu in sorted(spent.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{cpu:.1f}", f"{cpu / sum(spent.values()):.0%}", f"{after[name].peak_mb:.0f}")
    out.print(table)
    out.print("of sync:", ", ".join(f"{part} {share:.0%}" for part, share in shares.items()) or "no samples")
    out.print(f"(b) {records:,} records in {seconds:.1f} s: {records / seconds:,.0f} records/s")


def main() -> None:
    """LARGE=1 adds the clinic ten times larger."""
    with system(USUAL, BIG) as trial:
        usual(trial)
        trial.cliniko("PATCH", "settings", json={"latency_ms": 0, "rate_limit": UNLIMITED})
        large(trial, BIG)
    if os.environ.get("LARGE"):
        with system(HUGE) as trial:
            large(trial, HUGE)


if __name__ == "__main__":
    main()
