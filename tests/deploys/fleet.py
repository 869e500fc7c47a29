"""All of Routiq, each replica a process of its own that a test can stop, start and give another version."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx
from tests.conftest import MORE_PORTS, PORTS, System
from tests.deploys.balancer import balancer, takes_in
from tests.deploys.released import WORKSPACE, python_path

from routiq import discovery
from routiq.plan import MIGRATIONS, WITH_A_DATABASE, Plan
from routiq.ports import LOOPBACK, free_port
from routiq.probes import http_answers
from routiq.processes import Child, Program, run_once, running
from routiq.settings import from_environment
from routiq.state import StateDirectory

SERVICES = ("gateway", *WITH_A_DATABASE)
READY_SECONDS, LOOK_SECONDS = 60, 0.1
TODAY = WORKSPACE


@dataclass
class Deployed(System):
    """A system without the command that would start it."""

    def token(self, organization: str, role: str = "admin") -> str:
        """A session token, made once."""
        if (organization, role) not in self.tokens:
            wanted = {"org": organization, "role": role, "expires_in": 3600}
            answer = httpx.post(f"http://{LOOPBACK}:{self.environment['CLERK_PORT']}/tokens", json=wanted)
            self.tokens[organization, role] = answer.raise_for_status().json()["token"]
        return self.tokens[organization, role]


@dataclass
class Fleet:
    """Replicas by name: `sync-1` is the first of sync. Behind each service's address stand all of its replicas."""

    plan: Plan
    system: Deployed
    replicas: Mapping[str, int]
    """The port of each."""
    balancer: int
    running: dict[str, Child] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    """The address of a service that has left the common one."""

    def program(self, replica: str, root: Path) -> Program:
        """The replica with the code below `root`."""
        service, port = replica.partition("-")[0], self.replicas[replica]
        program = self.plan.program(service)
        own = {"DATABASE_URL": self.databases[service]} if service in self.databases else {}
        return replace(
            program,
            name=replica,
            environment={**program.environment, "PORT": str(port), "PYTHONPATH": python_path(root), **own},
            port=port,
            ready=partial(http_answers, f"http://{LOOPBACK}:{port}/health/ready"),
        )

    async def migrate(self, root: Path, service: str | None = None) -> None:
        """Bring the schema of one service, or of all, to what the code below `root` wants."""
        program = self.plan.program(MIGRATIONS)
        wanted = [service] if service else WITH_A_DATABASE
        schemas = (f"{name}={root / 'services' / name / 'migrations'}" for name in wanted)
        command = (*program.command[:3], *schemas)
        environment = {**program.environment, "PYTHONPATH": python_path(root)}
        if program.prepare and not service:
            await program.prepare()
        await run_once(replace(program, command=command, environment=environment), self.plan.state.log("migrations"))

    async def start(self, replica: str, root: Path = TODAY) -> None:
        """Return when it is ready, and the balancer has seen it."""
        child = await Child.start(self.program(replica, root), self.plan.state.log(replica))
        self.running[replica] = child
        assert await child.ready(READY_SECONDS), child.obituary()
        async with asyncio.timeout(READY_SECONDS):
            while not await takes_in(self.balancer, replica):
                await asyncio.sleep(LOOK_SECONDS)
        assert child.status is None, child.obituary()  # else somebody else answers at its port

    async def stop(self, replica: str) -> int | None:
        """SIGTERM, as every deployment does it; the exit status, negative when it had to be killed."""
        child = self.running.pop(replica)
        await child.stop()
        return child.status

    async def deploy(self, service: str, root: Path) -> None:
        """One replica after the other, the others at work meanwhile."""
        for replica in [name for name in self.replicas if name.partition("-")[0] == service]:
            if replica in self.running:
                assert await self.stop(replica) != -signal.SIGKILL, f"{replica} did not end by itself"
            await self.start(replica, root)

    async def stop_all(self) -> None:
        for replica in list(self.running):
            await self.stop(replica)


@asynccontextmanager
async def fleet(broker: str, *, replicas: int, accounts: Iterable[str]) -> AsyncIterator[Fleet]:
    """Servers, emulators and the balancer run, `accounts` are known to Cliniko; nothing is migrated or deployed yet."""
    home = Path(tempfile.mkdtemp(prefix="routiq-deploys-"))
    state = StateDirectory(home)
    state.create()
    names = [f"{service}-{number + 1}" for number in range(replicas) for service in SERVICES]
    given = iter(free_port, None)
    ports = {name: str(next(given)) for name in (*PORTS, *MORE_PORTS)}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    by_hand = {"SCHEDULE_ENABLED": "false", "CLINIKO_REQUESTS_PER_MINUTE": "100000", "ROUTIQ_BROKER": broker}
    environment = {**kept, **ports, **by_hand}
    settings = from_environment(environment)
    secrets = state.secrets(WITH_A_DATABASE)
    plan = Plan(settings, secrets, discovery.find(settings, secrets, state), state)
    of_services = {name: next(given) for name in names}
    deployed = Fleet(plan, Deployed(home, environment), of_services, balancer=next(given))
    around = [program for program in plan.programs() if program.name not in (*SERVICES, MIGRATIONS)]
    cliniko = next(program for program in around if program.name == "cliniko")
    around[around.index(cliniko)] = replace(cliniko, command=(*cliniko.command, "--account", *accounts))
    around.append(balancer(home, settings.ports, of_services, deployed.balancer))
    async with AsyncExitStack() as started:
        started.callback(shutil.rmtree, home)
        await started.enter_async_context(running(*around, logs=state.logs))
        started.push_async_callback(deployed.stop_all)
        deployed.system.cliniko_settings(rate_limit=100_000)
        yield deployed
