"""Stop what `up` started, whether its supervisor still lives or not."""

import asyncio
import signal
import time
from collections.abc import Collection

from routiq.pids import Pid
from routiq.servers.binaries import forget_copy
from routiq.state import Record, StateDirectory

SUPERVISOR_SECONDS = 60
ORPHAN_SECONDS = 20


async def stop(state: StateDirectory) -> bool:
    """False when there was nothing to stop."""
    record = state.read()
    if record is None:
        return False
    had_supervisor = await _stop_supervisor(record)
    had_orphans = await _stop_orphans(state)
    return had_supervisor or had_orphans


async def _stop_supervisor(record: Record) -> bool:
    if not record.supervisor.alive():
        return False
    record.supervisor.signal(signal.SIGTERM)
    if not await gone([record.supervisor], SUPERVISOR_SECONDS):
        record.supervisor.kill_group()
    return True


async def _stop_orphans(state: StateDirectory) -> bool:
    """Children of a supervisor that was killed run on; they are known by the record it kept."""
    record = state.read()
    if record is None:
        return False
    left = {process.pid: process for process in record.processes if process.pid and process.state != "stopped"}
    found = any(pid.alive() for pid in left)
    for pid, process in left.items():
        pid.signal(signal.Signals(process.stop_signal))
    await gone(left, ORPHAN_SECONDS)
    for pid, process in left.items():
        pid.kill_group()
        process.state = "stopped"
    forget_copy(state.path / "postgres")
    state.write(record)
    return found


async def gone(pids: Collection[Pid], seconds: float) -> bool:
    """Whether all of them ended in time."""
    deadline = time.monotonic() + seconds
    while any(pid.alive() for pid in pids):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True
