"""`python -m routiq.background`: the process that runs the system; `routiq up` starts it and looks on.

Its standard input is a pipe from `routiq up`. When that closes without the word to stay, nobody looks on any more
(a closed terminal, a killed command) and everything is stopped.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from routiq import discovery
from routiq.failures import ReportedError
from routiq.pids import Pid
from routiq.plan import WITH_A_DATABASE, Plan
from routiq.servers.binaries import forget_copy
from routiq.settings import OF_DATA, Settings, from_environment
from routiq.state import Record, StateDirectory
from routiq.supervisor import Supervisor

STAY = b"stay\n"


def say(level: str, message: str) -> None:
    """One JSON line, as the services write them."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    sys.stdout.write(json.dumps({"timestamp": now, "level": level, "event": message}) + "\n")
    sys.stdout.flush()


def make_plan(state: StateDirectory, running: Record | None = None) -> Plan:
    """As the environment says; or as what is running was started, whatever the environment says by now."""
    settings = from_environment(os.environ)
    if running:
        settings = _as_started(settings, running)
    secrets = state.secrets(roles=WITH_A_DATABASE)
    return Plan(settings, secrets, discovery.find(settings, secrets, state), state)


def _as_started(settings: Settings, running: Record) -> Settings:
    missing = [name for name in running.given if name not in settings.given]
    if missing:
        raise ReportedError(f"Routiq was started with {' and '.join(missing)}: set it for this command too.")
    strange = set(OF_DATA).difference(running.given)
    given = {name: value for name, value in settings.given.items() if name not in strange}
    return replace(settings, ports=running.ports or settings.ports, given=given)


def describe(plan: Plan) -> Record:
    settings = plan.settings
    return Record(
        supervisor=Pid.of(os.getpid()),
        postgres=discovery.describe_postgres(plan.servers),
        broker=discovery.describe_broker(plan.servers),
        gateway_url=plan.gateway_url,
        cliniko_url=plan.cliniko_url if settings.has_own_cliniko else None,
        clerk_url=plan.clerk_issuer if settings.has_own_clerk else None,
        platform_organization=settings.platform_organization,
        ports=dict(settings.ports),
        given=[name for name in OF_DATA if name in settings.given],
    )


async def run(state: StateDirectory) -> int:
    plan = make_plan(state)
    record = describe(plan)
    supervisor = Supervisor(plan.programs(), state, record, say)
    stop = asyncio.Event()
    _stop_on_signals(stop, supervisor)
    _stop_when_left(stop)
    try:
        await supervisor.run(stop)
        record.phase = "stopped"
    except ReportedError as error:
        record.phase, record.failure = "failed", str(error)
        say("error", record.failure)
    finally:
        forget_copy(state.path / "postgres")
        state.write(record)
    return 1 if record.phase == "failed" else 0


def _stop_on_signals(stop: asyncio.Event, supervisor: Supervisor) -> None:
    def on_signal() -> None:
        if stop.is_set():
            supervisor.kill_all()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)


def _stop_when_left(stop: asyncio.Event) -> None:
    """Not a thread that reads: it could not be ended while the pipe is open."""
    loop, pipe = asyncio.get_running_loop(), sys.stdin.fileno()

    def on_input() -> None:
        loop.remove_reader(pipe)
        if os.read(pipe, len(STAY)) != STAY:
            stop.set()

    loop.add_reader(pipe, on_input)


if __name__ == "__main__":
    sys.exit(asyncio.run(run(StateDirectory(Path(sys.argv[1])))))
