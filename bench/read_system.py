"""PostgreSQL, the development broker, patients and analytics as `routiq up` starts them; the baseline beside them."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from routiq import discovery
from routiq.plan import PASSED_ON, WITH_A_DATABASE, Plan, as_role
from routiq.ports import LOOPBACK, free_port
from routiq.probes import port_listens
from routiq.processes import Program, running
from routiq.servers.binaries import forget_copy
from routiq.settings import PORTS, Settings
from routiq.state import Secrets, StateDirectory

HERE = Path(__file__).parent
BASELINE = "baseline"


@dataclass(frozen=True)
class System:
    """What runs, and how to reach it."""

    plan: Plan
    ports: Mapping[str, int]

    @property
    def owner_url(self) -> str:
        return self.plan.owner_url

    @property
    def identity_key(self) -> bytes:
        return self.plan.secrets.identity_key.encode()

    def role_url(self, service: str) -> str:
        """The database as a service sees it."""
        return as_role(self.owner_url, f"routiq_{service}", self.plan.secrets.role_passwords[service])


@asynccontextmanager
async def started(home: Path, shared_buffers: str) -> AsyncIterator[System]:
    """Everything in `home`; what was loaded is gone with it."""
    ports = {name: free_port() for name in (*PORTS, BASELINE)}
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    settings = Settings(ports, given, postgres=None, broker="embedded")
    state, secrets = StateDirectory(home / "state"), Secrets.generate(WITH_A_DATABASE)
    state.create()
    plan = Plan(settings, secrets, discovery.find(settings, secrets, state), state)
    postgres = plan.program("postgres")
    enlarged = replace(postgres, command=(*postgres.command, "-c", f"shared_buffers={shared_buffers}"))
    others = [plan.program(name) for name in ("broker", "migrations", "patients", "analytics")]
    try:
        async with running(enlarged, *others, _baseline(plan, ports[BASELINE]), logs=state.logs):
            yield System(plan, ports)
    finally:
        forget_copy(state.path / "postgres")


def _baseline(plan: Plan, port: int) -> Program:
    command = (
        "-m",
        "uvicorn",
        "--factory",
        "read_baseline:create",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "error",
    )
    return Program(
        name=BASELINE,
        command=(sys.executable, *command),
        environment={**plan.settings.given, "PYTHONPATH": str(HERE), "DATABASE_URL": plan.owner_url},
        port=port,
        ready=partial(port_listens, LOOPBACK, port),
    )
