"""A clinic of its own for a test: what can be done to it in Cliniko, and what Routiq must then say of it."""

import json
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import httpx
from tests.conftest import System
from tests.independent import Clinic, ClinikoAccount, order

from routiq.ports import free_port

Json = dict[str, Any]


class Event(NamedTuple):
    """One event of a run's stream."""

    id: str
    kind: str
    content: Json


@contextmanager
def own_cliniko(*accounts: str) -> Iterator[dict[str, str]]:
    """An emulator that outlives the system, with `key=seed:patients` accounts; the settings by which it is used."""
    port = free_port()
    command = [sys.executable, "-m", "cliniko_emulator", "--port", str(port), "--account", *accounts]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _until_it_answers(f"{address}/_control/health")
        yield {"CLINIKO_PORT": str(port), "CLINIKO_API_URL": f"{address}/{{shard}}/v1"}
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Practice:
    """One organization with one account of the emulator, in shard au4."""

    system: System
    name: str

    @property
    def organization(self) -> str:
        return f"org_{self.name}"

    @property
    def key(self) -> str:
        return f"MS0-{self.name}-au4"

    def connect(self) -> None:
        self.system.connect(self.organization, self.key)

    def control(self, method: str, what: str, **content: Any) -> Any:
        """A control request to the emulator; what it answers."""
        url = f"{self.system.cliniko}/_control/{what}"
        answer = httpx.request(method, url, json=content).raise_for_status()
        return answer.json() if answer.content else None

    def fault(self, effect: str, **members: Any) -> int:
        """Switch a fault on for this clinic only; returns its id."""
        return int(self.control("POST", "faults", effect=effect, key=self.key, **members)["id"])

    def before(self, path: str, page: int, *changes: Json, **members: Any) -> int:
        """Change the clinic when that page is asked for, before it is answered."""
        mine = [{"clinic": self.key, **change} for change in changes]
        return self.fault("change", path=path, page=page, changes=mine, **members)

    def change(self, kind: str, **members: Any) -> list[str]:
        """Change the clinic now; returns the ids."""
        return list(self.control("POST", "changes", change=kind, clinic=self.key, **members)["changed"])

    def struck(self) -> list[int]:
        """How often each fault has struck."""
        return [fault["hits"] for fault in self.control("GET", "faults")["faults"] if fault.get("key") == self.key]

    def heal(self) -> None:
        """Take all faults back."""
        self.control("DELETE", "faults")

    @contextmanager
    def switched(self, **switches: Any) -> Iterator[None]:
        """While Cliniko behaves otherwise."""
        before = self.control("GET", "switches")
        self.control("PATCH", "switches", **switches)
        yield
        self.control("PATCH", "switches", **{name: before[name] for name in switches})

    def ask(self, method: str, path: str, *, role: str = "admin", **options: Any) -> tuple[int, Any]:
        """The status and the content of an answer to anything below `/api/v1/`."""
        answer = self.system.call(method, f"/api/v1/{path}", self.organization, role, **options)
        return answer.status_code, answer.json() if answer.content else None

    def start(self, mode: str = "comprehensive", **more: Any) -> str:
        return self.system.start_sync(self.organization, mode, **more)

    def progress(self, sync_id: str) -> Json:
        return dict(self.system.get(f"/api/v1/sync/progress/{sync_id}", self.organization))

    def ended(self, sync_id: str, seconds: float = 60) -> Json:
        """The progress of a run at its end, however it ended."""
        seen: Json = {"progress_percentage": 0}
        deadline = time.monotonic() + seconds
        for event in self.events(sync_id):
            assert time.monotonic() < deadline, event.content
            assert seen["progress_percentage"] <= event.content["progress_percentage"] <= 100, event.content
            seen = event.content
        assert seen["status"] not in ("queued", "running"), seen
        return seen

    def events(self, sync_id: str, last_event_id: str | None = None) -> Generator[Event]:
        """The progress as the stream tells it, to its end."""
        path = f"/api/v1/sync/progress/{sync_id}/stream"
        headers = {"authorization": f"Bearer {self.system.token(self.organization)}"}
        if last_event_id is not None:
            headers["last-event-id"] = last_event_id
        with httpx.stream("GET", self.system.url(path), headers=headers, timeout=30) as answer:
            answer.raise_for_status()
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "data" in fields:
                    yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
                    fields = {}

    def run(self, mode: str = "comprehensive", *, seconds: float = 60, **more: Any) -> Json:
        """A run from its beginning to its good end."""
        seen = self.ended(self.start(mode, **more), seconds)
        assert (seen["status"], seen["progress_percentage"], seen["failure"]) == ("completed", 100.0, None), seen
        return seen

    def source(self, key: str | None = None) -> Clinic:
        """The clinic as any other client of Cliniko reads it."""
        return Clinic.read(self.account(key))

    def account(self, key: str | None = None) -> ClinikoAccount:
        return ClinikoAccount(f"{self.system.cliniko}/au4/v1", key or self.key)

    def patients(self) -> Json:
        """All pages of the list in one: the moment is that of the first."""
        path = f"/api/v1/patients/{self.organization}/patients?active=all&limit=1000"
        listed = page = dict(self.system.get(path, self.organization))
        while page.get("next_cursor"):
            page = self.system.get(f"{path}&cursor={page['next_cursor']}", self.organization)
            listed["patients"] += page["patients"]
        return listed

    def summary(self) -> Json:
        return dict(self.system.get(f"/api/v1/dashboard/{self.organization}/summary", self.organization))

    def agrees(self, key: str | None = None) -> None:
        """Every listed patient, every appointment shown and every figure is what the source says, key by key."""
        clinic, listed, summary = self.source(key), self.patients(), self.summary()
        now = datetime.fromisoformat(listed["timestamp"])
        wanted = clinic.patient_list(now, active_only=False)
        shown = {one["cliniko_patient_id"]: one for one in listed["patients"]}
        assert not shown.keys() ^ clinic.patients.keys(), shown.keys() ^ clinic.patients.keys()
        assert listed["total_count"] == len(listed["patients"]) == len(wanted)
        same(map(order, listed["patients"]), map(order, wanted))
        same([{key: shown[one["cliniko_patient_id"]][key] for key in one} for one in wanted], wanted)
        figures = clinic.dashboard(datetime.fromisoformat(summary["generated_at"]))
        same([(key, summary[key]) for key in figures], figures.items())


def same(shown: Iterable[Any], wanted: Iterable[Any]) -> None:
    """One by one; the first that are not are told."""
    different = [pair for pair in zip(shown, wanted, strict=True) if pair[0] != pair[1]]
    assert not different, (len(different), different[:3])


def _until_it_answers(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx.get(address).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the emulator of Cliniko does not answer")
