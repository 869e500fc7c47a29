"""The supervisor here is a process of its own, as it is for `routiq up`, so that it can be killed."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from routiq import down
from routiq.state import Record, StateDirectory

SUPERVISE_TWO = """
import asyncio, os, sys
from pathlib import Path
from routiq.pids import Pid
from routiq.processes import Program
from routiq.state import Record, StateDirectory
from routiq.supervisor import Supervisor

# A shell with a child of its own: both have to go.
programs = [Program(name, ("/bin/sh", "-c", "sleep 600 & wait"), dict(os.environ)) for name in ("one", "two")]
state = StateDirectory(Path(sys.argv[1]))
record = Record(supervisor=Pid.of(os.getpid()))
asyncio.run(Supervisor(programs, state, record, lambda *_: None).run(asyncio.Event()))
"""


@pytest.fixture
def supervisor(state: StateDirectory) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", SUPERVISE_TWO, str(state.path)], start_new_session=True) as process:
        yield process
        process.kill()


async def running(state: StateDirectory) -> Record:
    async with asyncio.timeout(20):
        while True:
            record = state.read()
            if record and record.phase == "running":
                return record
            await asyncio.sleep(0.05)


def left(record: Record) -> list[int]:
    """What still runs of the recorded children and all they started; the dead await collection by their new parent."""
    groups = {str(process.pid.number) for process in record.processes if process.pid}
    stats = {int(stat.parent.name): fields(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    return [number for number, (state, group) in stats.items() if group in groups and state != "Z"]


def fields(stat: Path) -> tuple[str, str]:
    """State and process group; see proc(5)."""
    try:
        state, _parent, group, *_ = stat.read_text().rpartition(")")[2].split()
    except OSError:  # ended since it was listed
        return "Z", ""
    return state, group


async def test_a_killed_supervisor_leaves_nothing_behind_after_down(
    state: StateDirectory, supervisor: subprocess.Popen[bytes]
) -> None:
    record = await running(state)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    assert len(left(record)) == 4
    assert await down.stop(state)
    assert left(record) == []


async def test_nothing_to_stop_is_no_failure(state: StateDirectory) -> None:
    assert not await down.stop(state)


async def test_down_twice_finds_nothing_the_second_time(
    state: StateDirectory, supervisor: subprocess.Popen[bytes]
) -> None:
    await running(state)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    assert await down.stop(state)
    assert not await down.stop(state)
