"""What outlives a run: `.routiq/` with the secrets, the record of processes, the logs and the servers' data."""

import base64
import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from routiq.failures import ReportedError
from routiq.pids import Pid

Phase = Literal["starting", "running", "stopping", "stopped", "failed"]
ProcessState = Literal["waiting", "starting", "ready", "done", "restarting", "stopped"]


@dataclass
class ProcessRecord:
    name: str
    port: int | None
    log: str
    state: ProcessState = "waiting"
    pid: Pid | None = None
    since: float = 0.0
    """Unix time at which it was started."""
    ready_seconds: float | None = None
    stop_signal: int = 15


@dataclass
class Record:
    """One run of the system, as its supervisor last saw it."""

    supervisor: Pid
    phase: Phase = "starting"
    failure: str = ""
    postgres: str = ""
    broker: str = ""
    gateway_url: str = ""
    cliniko_url: str | None = None
    clerk_url: str | None = None
    platform_organization: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    """The settings that say where it keeps its data, as far as they were set."""
    processes: list[ProcessRecord] = field(default_factory=list)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        fields: dict[str, Any] = json.loads(text)
        processes = [
            ProcessRecord(**{**process, "pid": Pid(**process["pid"]) if process["pid"] else None})
            for process in fields.pop("processes")
        ]
        return cls(supervisor=Pid(**fields.pop("supervisor")), processes=processes, **fields)


@dataclass(frozen=True)
class Secrets:
    owner_password: str
    role_passwords: dict[str, str]
    broker_password: str
    identity_key: str
    credentials_keys: str
    webhook_secret: str = field(default_factory=lambda: f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}")
    """Between our own Clerk and admin; a state kept by an older version has none, and gets another at each start."""

    @classmethod
    def generate(cls, roles: tuple[str, ...]) -> "Secrets":
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        return cls(
            owner_password=secrets.token_hex(24),
            role_passwords={role: secrets.token_hex(24) for role in roles},
            broker_password=secrets.token_hex(24),
            identity_key=secrets.token_hex(32),
            credentials_keys=f"{secrets.token_hex(4)}:{key}",
        )


class StateDirectory:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self._record = self.path / "state.json"
        self._secrets = self.path / "secrets.json"

    def create(self) -> None:
        for directory in (self.path, self.logs):
            directory.mkdir(mode=0o700, exist_ok=True)
            directory.chmod(0o700)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Held by the one command that starts the system here; raises in a second one at the same moment."""
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ReportedError("Routiq is being started here already.") from None
            yield

    def secrets(self, roles: tuple[str, ...]) -> Secrets:
        """Generated once: what they lock must open again on the next start."""
        if not self._secrets.exists():
            self.keep(Secrets.generate(roles))
        return Secrets(**json.loads(self._secrets.read_text()))

    def keep(self, changed: Secrets) -> None:
        """For the next start; what runs knows the old ones."""
        self._write(self._secrets, json.dumps(asdict(changed), indent=2))

    def read(self) -> Record | None:
        try:
            return Record.from_json(self._record.read_text())
        except FileNotFoundError:
            return None

    def write(self, record: Record) -> None:
        self._write(self._record, json.dumps(asdict(record), indent=2))

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def begin_logs(self) -> None:
        """Keep the last run's logs as `.1`, so that they cannot grow for ever."""
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        """Whole or not at all, whoever reads meanwhile."""
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(text)
        new.replace(path)
