"""`routiq deploy`: one service of the running system starts anew with the code that is there now."""

import asyncio
import signal
import time
from dataclasses import replace
from pathlib import Path

from routiq.console import out
from routiq.failures import ReportedError
from routiq.pids import Pid
from routiq.plan import MIGRATIONS, WITH_A_DATABASE, Plan, migrations
from routiq.processes import LAST_LINES, run_once
from routiq.state import ProcessRecord, StateDirectory

END_SECONDS, READY_SECONDS, LOOK_SECONDS = 40, 60, 0.05


async def deploy(plan: Plan, service: str) -> float:
    """For how many seconds nobody answered in its place. The supervisor starts what was told to stop.

    Raises ReportedError; when its migrations fail, the service goes on as it was. One that does not run is waited for:
    with its code mended, the supervisor's next try succeeds.
    """
    if service in WITH_A_DATABASE:
        with out.status(f"Migrating {service}"):
            await _migrate(plan, service)
    before = _look(plan.state, service)
    if before.pid and before.pid.alive():
        with out.status(f"Stopping {service}"):
            before.pid.signal(signal.Signals(before.stop_signal))
            await _until_ended(before.pid, service)
    ended = time.monotonic()
    with out.status(f"Starting {service}"):
        await _until_another_is_ready(plan.state, service, before.pid)
    return time.monotonic() - ended


async def _migrate(plan: Plan, service: str) -> None:
    program = plan.program(MIGRATIONS)
    command = (*program.command[:3], f"{service}={migrations(service)}")
    await run_once(replace(program, command=command, prepare=None), plan.state.log(MIGRATIONS))


async def _until_ended(pid: Pid, service: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    while pid.alive():
        if time.monotonic() > deadline:
            raise ReportedError(f"{service} (pid {pid.number}) did not end in {END_SECONDS} s and goes on.")
        await asyncio.sleep(LOOK_SECONDS)


async def _until_another_is_ready(state: StateDirectory, service: str, before: Pid | None) -> None:
    """`ready` is what the supervisor says of a process whose `/health/ready` answered 200."""
    deadline = time.monotonic() + READY_SECONDS
    while (seen := _look(state, service)).pid == before or seen.state != "ready":
        if seen.pid != before and seen.pid and not seen.pid.alive():
            raise ReportedError(_does_not_start(service, Path(seen.log)))
        if time.monotonic() > deadline:
            raise ReportedError(f"{service} was not ready in {READY_SECONDS} s; see {seen.log}")
        await asyncio.sleep(LOOK_SECONDS)


def _does_not_start(service: str, log: Path) -> str:
    last = "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
    what = f"{service} does not start, the others go on. Its last lines:\n{last}"
    return f"{what}\nMend it, then `routiq deploy {service}` again: it is tried every few seconds."


def _look(state: StateDirectory, service: str) -> ProcessRecord:
    """Raises ReportedError when the supervisor has ended."""
    record = state.read()
    if record is None or not record.supervisor.alive():
        raise ReportedError(record.failure if record and record.failure else "Routiq was stopped meanwhile.")
    return next(process for process in record.processes if process.name == service)
