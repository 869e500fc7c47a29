"""The whole system, started by its one command, once for each broker."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import pytest

from routiq.ports import free_port
from routiq.servers import rabbitmq

ROUTIQ = (str(Path(sys.executable).with_name("routiq")),)
PORTS = ("PORT", "PATIENTS_PORT", "SYNC_PORT", "ANALYTICS_PORT", "ADMIN_PORT")
MORE_PORTS = ("CLINIKO_PORT", "CLERK_PORT", "POSTGRES_PORT", "AMQP_PORT")
HARBOUR, RIDGE = "org_demo_harbour", "org_demo_ridge"
KEYS = {HARBOUR: "MS0-demo-harbour-au4", RIDGE: "MS0-demo-ridge-uk1"}
COMPOSED = "composed"
BROKERS = [COMPOSED] if os.environ.get("ROUTIQ_REQUIRE_ENGINE") == "1" else ["embedded", "installed"]
"""`make test-compose` asks the containers of docker-compose.yml instead of what `make up` starts."""


@dataclass
class System:
    """Routiq as a person runs it: the command, the gateway, and the processes behind."""

    home: Path
    environment: dict[str, str]
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`routiq ...` in this system's directory."""
        return subprocess.run(
            [*ROUTIQ, *arguments],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=180,
        )

    def token(self, organization: str, role: str = "admin") -> str:
        """A session token, made once."""
        wanted = ("token", "--org", organization, "--role", role)
        if wanted not in self.tokens:
            self.tokens[wanted] = self.command(*wanted).stdout.strip()
        return self.tokens[wanted]

    def call(self, method: str, path: str, organization: str, role: str = "admin", **options: Any) -> httpx.Response:
        """One request through the gateway; sent once more when it met a service that was just restarting."""
        headers = {"authorization": f"Bearer {self.token(organization, role)}", **options.pop("headers", {})}
        return httpx.request(method, self.url(path), headers=headers, timeout=30, **options)

    def get(self, path: str, organization: str, **options: Any) -> Any:
        """The JSON of an answer that must be a success."""
        return self.call("GET", path, organization, **options).raise_for_status().json()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}{path}"

    @property
    def broker_url(self) -> str:
        return f"amqp://routiq:{self.secrets['broker_password']}@127.0.0.1:{self.environment['AMQP_PORT']}/"

    @property
    def owner_url(self) -> str:
        """The database as its owner, whom row-level security does not bind."""
        return (
            f"postgresql://routiq:{self.secrets['owner_password']}@127.0.0.1:{self.environment['POSTGRES_PORT']}/routiq"
        )

    @property
    def secrets(self) -> dict[str, Any]:
        """What `routiq up` made for this system alone."""
        return dict(json.loads((self.home / ".routiq" / "secrets.json").read_text()))

    @property
    def cliniko(self) -> str:
        return f"http://127.0.0.1:{self.environment['CLINIKO_PORT']}"

    def cliniko_settings(self, **changes: Any) -> None:
        """How the emulator behaves from now on."""
        httpx.patch(f"{self.cliniko}/_control/settings", json=changes).raise_for_status()

    def connect(self, organization: str, key: str) -> None:
        path = f"/api/v1/cliniko/connection/{organization}"
        self.call("PUT", path, organization, json={"api_key": key}).raise_for_status()

    def start_sync(self, organization: str, mode: str = "comprehensive") -> str:
        path = f"/api/v1/cliniko/sync/{organization}?mode={mode}"
        answer = self.call("POST", path, organization).raise_for_status().json()
        assert answer["sync_started"], answer
        return str(answer["sync_id"])

    def until_completed(self, organization: str, sync_id: str, seconds: float = 150) -> dict[str, Any]:
        """Every look at the progress may meet a restarting service; the run must complete all the same.

        The looks grow rarer: 100 in 15 minutes are allowed.
        """
        deadline, seen, pause = time.monotonic() + seconds, -1.0, 0.5
        while time.monotonic() < deadline:
            response = self.call("GET", f"/api/v1/sync/progress/{sync_id}", organization)
            if response.status_code == 200:
                progress: dict[str, Any] = response.json()
                assert progress["progress_percentage"] >= seen, "progress fell"
                seen = progress["progress_percentage"]
                if progress["status"] == "completed":
                    return progress
                assert progress["status"] in ("queued", "running"), progress
            else:
                assert response.status_code in (502, 503, 504), response.text
            time.sleep(pause)
            pause = min(pause * 1.15, 5.0)
        raise AssertionError(f"not completed: {response.text}")

    def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """Put a message into a queue, as another process would."""

        async def put() -> None:
            async with await aio_pika.connect(self.broker_url) as connection:
                exchange = (await connection.channel()).default_exchange
                await exchange.publish(aio_pika.Message(body, message_id=message_id), queue, mandatory=True)

        asyncio.run(put())

    def process(self, name: str) -> dict[str, Any]:
        """The supervisor's record of a process."""
        record = json.loads((self.home / ".routiq" / "state.json").read_text())
        return next(dict(process) for process in record["processes"] if process["name"] == name)

    def until_ready(self) -> None:
        """Wait until every service says so."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            health = httpx.get(self.url("/health")).json()
            if health["status"] == "healthy":
                return
            time.sleep(0.2)
        raise AssertionError(health)


@contextmanager
def running(broker: str, **settings: str) -> Iterator[System]:
    """Up on ports of its own, in a directory of its own; nothing is left of it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="routiq-e2e-"))
    ports = {name: str(free_port()) for name in (*PORTS, *MORE_PORTS)}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    by_hand = {
        "SCHEDULE_ENABLED": "false",  # a run that starts by itself would come between a test and its own
        "CLINIKO_REQUESTS_PER_MINUTE": "100000",  # many tests use one key: none waits for the minute of another to pass
    }
    started = System(home, {**kept, **ports, **by_hand, "ROUTIQ_BROKER": broker, **settings})
    try:
        up = started.command("up", "--detach", check=False)
        assert up.returncode == 0, up.stdout + up.stderr
        started.cliniko_settings(rate_limit=100_000)
        yield started
    finally:
        started.command("down", check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def composed() -> Iterator[System]:
    """The same in containers; left out where no Docker engine answers."""
    from tests.deploy import engine

    with engine.running() as started:
        yield started


@pytest.fixture(scope="session", params=BROKERS)
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    if request.param == COMPOSED:
        yield request.getfixturevalue("composed")
        return
    if request.param == "installed" and rabbitmq.find() is None:
        assert os.environ.get("ROUTIQ_REQUIRE_RABBITMQ") != "1", "rabbitmq-server is required, and not installed"
        pytest.skip("rabbitmq-server is not installed")
    with running(request.param) as started:
        yield started
