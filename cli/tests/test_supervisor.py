import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from routiq.failures import ReportedError
from routiq.pids import Pid
from routiq.processes import Program, Tier
from routiq.state import Record, StateDirectory
from routiq.supervisor import RESTARTS_ALLOWED, Supervisor

MakeProgram = Callable[..., Program]
SLEEPING = "import time; print('asleep', flush=True); time.sleep(600)"


class Run:
    """A supervisor at work, and what it said."""

    def __init__(self, programs: Sequence[Program], state: StateDirectory) -> None:
        self.record = Record(supervisor=Pid.of(os.getpid()))
        self.said: list[str] = []
        self.stop = asyncio.Event()
        self.supervisor = Supervisor(programs, state, self.record, lambda _level, text: self.said.append(text))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)

    def is_another(self, name: str, before: Pid) -> bool:
        process = next(process for process in self.record.processes if process.name == name)
        return process.pid != before and process.state == "ready"

    def pid(self, name: str) -> Pid | None:
        return next(process.pid for process in self.record.processes if process.name == name)


async def never() -> bool:
    return False


@asynccontextmanager
async def supervised(programs: Sequence[Program], state: StateDirectory) -> AsyncIterator[Run]:
    run = Run(programs, state)
    task = asyncio.create_task(run.supervisor.run(run.stop))
    try:
        await run.until(lambda: run.record.phase == "running")
        yield run
    finally:
        run.stop.set()
        await task


async def test_a_child_that_dies_is_named_with_its_end_and_started_again(
    state: StateDirectory, program: MakeProgram
) -> None:
    chatty = program("patients", "import time; print('about to sleep', flush=True); time.sleep(600)")
    async with supervised([chatty, program("sync")], state) as run:
        before = run.pid("patients")
        assert before
        await run.until(lambda: "about to sleep" in state.log("patients").read_text())
        os.kill(before.number, signal.SIGKILL)
        await run.until(lambda: run.pid("patients") != before)
        after = run.pid("patients")
        assert after
        assert after.alive()
    assert f"patients (pid {before.number}) was killed by SIGKILL; its last lines:\nabout to sleep" in run.said
    assert not any("sync" in text for text in run.said)


async def test_a_child_that_is_told_to_stop_is_started_again_however_often(
    state: StateDirectory, program: MakeProgram
) -> None:
    async with supervised([program("patients")], state) as run:
        for _ in range(RESTARTS_ALLOWED + 1):
            before = run.pid("patients")
            assert before
            before.signal(signal.SIGTERM)
            await run.until(partial(run.is_another, "patients", before))
    assert run.said == ["patients was told to stop; starting it anew"] * (RESTARTS_ALLOWED + 1)


async def test_a_child_that_never_comes_up_ends_the_run_with_its_reason(
    state: StateDirectory, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routiq.supervisor.LONGEST_PAUSE_SECONDS", 0.01)
    gateway = program("gateway", "raise SystemExit('no such setting')", ready=never)
    run = Run([program("sync"), gateway], state)
    with pytest.raises(ReportedError, match=r"gateway .* exit status 1(.|\n)*no such setting"):
        await run.supervisor.run(run.stop)
    assert len([text for text in run.said if "exit status 1" in text]) == RESTARTS_ALLOWED
    survivor = run.pid("sync")
    assert survivor
    assert not survivor.alive()


async def test_a_child_that_came_up_once_never_ends_the_others_and_is_back_when_it_is_mended(
    state: StateDirectory, program: MakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("routiq.supervisor.LONGEST_PAUSE_SECONDS", 0.01)
    code = tmp_path / "code.py"
    code.write_text(SLEEPING)
    changing = program("patients", f"exec(open({str(code)!r}).read())")
    async with supervised([changing, program("sync")], state) as run:
        before, other = run.pid("patients"), run.pid("sync")
        assert before
        code.write_text("raise SystemExit('no such module')")
        before.signal(signal.SIGTERM)
        await run.until(lambda: len([text for text in run.said if "no such module" in text]) > RESTARTS_ALLOWED + 1)
        code.write_text(SLEEPING)
        await run.until(lambda: "asleep" in state.log("patients").read_text().rpartition("no such module")[2])
        assert run.pid("sync") == other


async def test_a_failed_step_is_not_repeated(state: StateDirectory, program: MakeProgram) -> None:
    run = Run([program("migrations", "raise SystemExit(4)", once=True)], state)
    with pytest.raises(ReportedError, match=r"migrations .* exit status 4"):
        await run.supervisor.run(run.stop)
    assert run.said == []


async def test_nothing_starts_before_what_it_needs_is_ready(
    state: StateDirectory, program: MakeProgram, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    step = program("migrations", f"import time; time.sleep(0.3); open({str(made)!r}, 'w')", once=True)
    service = program("sync", f"import os, time; print(os.path.exists({str(made)!r}), flush=True); time.sleep(600)")
    needing = Program(**{**vars(service), "after": ("migrations",)})
    async with supervised([step, needing], state) as run:
        await run.until(lambda: bool(state.log("sync").read_text()))
    assert state.log("sync").read_text() == "True\n"


async def test_services_stop_before_the_servers_they_use(
    state: StateDirectory, program: MakeProgram, tmp_path: Path
) -> None:
    order = tmp_path / "order"
    script = (
        "import signal, sys, time\n"
        "def note(*_):\n    time.sleep({pause}); open({order!r}, 'a').write('{name} '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, note); print('up', flush=True); time.sleep(600)"
    )
    server = program("postgres", script.format(order=str(order), name="postgres", pause=0), tier=Tier.SERVER)
    service = program("sync", script.format(order=str(order), name="sync", pause=0.3), tier=Tier.SERVICE)
    async with supervised([server, service], state) as run:
        await run.until(lambda: all(state.log(name).read_text() == "up\n" for name in ("postgres", "sync")))
    assert order.read_text() == "sync postgres "


async def test_a_child_that_ignores_the_request_is_killed(state: StateDirectory, program: MakeProgram) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
    async with supervised([program("sync", deaf, grace_seconds=0.2)], state) as run:
        await run.until(lambda: state.log("sync").read_text() == "up\n")
        pid = run.pid("sync")
    assert pid
    assert not pid.alive()
