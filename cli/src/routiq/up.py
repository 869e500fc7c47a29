"""`routiq up`: start the supervisor, look on while everything starts, show the demo, and stay or leave."""

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

from rich.live import Live

from routiq import demo, down, summary
from routiq.background import STAY, make_plan
from routiq.console import errors, out, steps
from routiq.failures import ReportedError
from routiq.logs import Follower, readable
from routiq.ports import require_free
from routiq.settings import PORTS
from routiq.state import Record, StateDirectory

LOOK_SECONDS = 0.1
SYNC_SECONDS = 300

Supervising = subprocess.Popen[bytes]
"""Not asyncio's: that one would kill it when this command ends."""


async def up(state: StateDirectory, *, detach: bool) -> int:
    """The exit status."""
    record = state.read()
    if record and record.phase == "running" and record.supervisor.alive():
        out.print("Routiq is running already; `routiq down` stops it.")
        await summary.show(record)
        return 0
    state.create()
    with ExitStack() as starting:
        starting.enter_context(state.starting())
        await down.stop(state)  # what a killed supervisor left behind
        _require_ports(state)
        state.begin_logs()
        supervising = _start_supervisor(state)
        attending = asyncio.create_task(_attend(state, supervising, starting, detach=detach))
        _stop_on_signals(attending, supervising)
        try:
            return await attending
        except asyncio.CancelledError:
            if not attending.cancelled():  # it was not a signal: what we print to is gone, say
                raise
            return await _stop(supervising)


def _require_ports(state: StateDirectory) -> None:
    programs = make_plan(state).programs()
    require_free(
        (program.name, PORTS[program.name][0], program.port)
        for program in programs
        if program.port and program.name in PORTS
    )


def _start_supervisor(state: StateDirectory) -> Supervising:
    with state.log("supervisor").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "routiq.background", str(state.path)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _stop_on_signals(attending: asyncio.Task[int], supervising: Supervising) -> None:
    def on_signal() -> None:
        if attending.done():
            supervising.terminate()  # the second signal, after which it kills
        attending.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)


async def _attend(state: StateDirectory, supervising: Supervising, starting: ExitStack, *, detach: bool) -> int:
    began = time.monotonic()
    record = await _until_running(state, supervising)
    starting.close()
    if detach:
        _leave(supervising)
    out.print(f"\nEverything is ready after {time.monotonic() - began:.1f} s.")
    shown = await _show_demo(record)
    if not detach:
        return await _follow(state, supervising)
    out.print(f"Routiq runs in the background: `{sys.argv[0]} status`, `{sys.argv[0]} down`.", soft_wrap=True)
    return 0 if shown else 1


async def _until_running(state: StateDirectory, supervising: Supervising) -> Record:
    with Live(steps(None), console=out, refresh_per_second=10) as live:
        while True:
            ended = supervising.poll() is not None
            record = state.read()
            if record and record.supervisor.number == supervising.pid:
                live.update(steps(record))
                if record.phase == "running":
                    return record
                if ended:
                    raise ReportedError(f"\n{record.failure or 'The start was stopped.'}")
            if ended:
                raise ReportedError(f"\n{state.log('supervisor').read_text()}")
            await asyncio.sleep(LOOK_SECONDS)


async def _show_demo(record: Record) -> bool:
    """False when it failed, which has been said; the system itself runs."""
    try:
        if demo.has_demo(record):
            await demo.connect(record)
            async with asyncio.timeout(SYNC_SECONDS):
                await demo.sync(record, demo.CLINICS)
        await summary.show(record)
    except TimeoutError:
        errors.print(f"The demo clinics were not synced in {SYNC_SECONDS} s; see .routiq/logs.", style="red")
    except ReportedError as error:
        errors.print(str(error), style="red", markup=False)
    else:
        return True
    return False


def _leave(supervising: Supervising) -> None:
    if supervising.stdin:
        supervising.stdin.write(STAY)
        supervising.stdin.close()


async def _follow(state: StateDirectory, supervising: Supervising) -> int:
    out.print("\nLogs follow; Ctrl-C stops everything.", style="bold")
    follower = Follower(state.logs)
    while supervising.poll() is None:
        for name, line in follower.look():
            out.print(readable(name, line), soft_wrap=True)
        await asyncio.sleep(LOOK_SECONDS)
    record = state.read()
    if record and record.failure:
        raise ReportedError(record.failure)
    return supervising.returncode


async def _stop(supervising: Supervising) -> int:
    out.print("Stopping … (once more to kill)")
    supervising.terminate()
    await asyncio.to_thread(supervising.wait)
    out.print("Stopped.")
    return 0
