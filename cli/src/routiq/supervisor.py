"""Keeps the programs running: starts them as early as their needs allow, restarts what dies, stops all in order."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby

from routiq.failures import ReportedError
from routiq.pids import Pid
from routiq.processes import Child, Program
from routiq.state import ProcessRecord, ProcessState, Record, StateDirectory

RESTARTS_ALLOWED, WITHIN_SECONDS = 5, 60
"""Of a program that was never ready; one that was is started again for as long as the others run."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
READY_WITHIN_SECONDS = 60
"""At the first start; one that ran before may wait as long as what it needs is away."""

Say = Callable[[str, str], None]
"""Takes a level and a message."""


class Supervisor:
    def __init__(self, programs: Sequence[Program], state: StateDirectory, record: Record, say: Say) -> None:
        self._programs = programs
        self._state = state
        self._record = record
        self._say = say
        self._children: dict[str, Child] = {}
        self._ready = {program.name: asyncio.Event() for program in programs}
        record.processes = [
            ProcessRecord(
                name=program.name,
                port=program.port,
                log=str(state.log(program.name)),
                stop_signal=program.stop_signal,
            )
            for program in programs
        ]
        self._of = {process.name: process for process in record.processes}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; raises when a program cannot be started. Stops everything either way."""
        keepers = [asyncio.create_task(self._keep(program)) for program in self._programs]
        everything_ready = asyncio.create_task(self._announce_ready())
        stopping = asyncio.create_task(stop.wait())
        try:
            await self._first_failure_or(stopping, keepers)
        finally:
            for task in (*keepers, everything_ready, stopping):
                task.cancel()
            await asyncio.gather(*keepers, everything_ready, stopping, return_exceptions=True)
            await self._stop_all()

    @staticmethod
    async def _first_failure_or(stopping: asyncio.Task[bool], keepers: Sequence[asyncio.Task[None]]) -> None:
        waiting: set[asyncio.Task[bool] | asyncio.Task[None]] = {stopping, *keepers}
        while not stopping.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _announce_ready(self) -> None:
        await asyncio.gather(*(ready.wait() for ready in self._ready.values()))
        self._record.phase = "running"
        self._state.write(self._record)

    async def _keep(self, program: Program) -> None:
        for needed in program.after:
            await self._ready[needed].wait()
        deaths: deque[float] = deque(maxlen=RESTARTS_ALLOWED + 1)
        while True:
            child = await self._start(program)
            first = not self._ready[program.name].is_set()
            if was_ready := await child.ready(READY_WITHIN_SECONDS if first else None):
                self._mark_ready(child)
                if program.once:
                    return
            status = await child.wait()
            if was_ready and status == -program.stop_signal:
                await self._renew(child)
            else:
                deaths.append(time.monotonic())
                await self._mourn(child, deaths)

    async def _start(self, program: Program) -> Child:
        self._mark(program, "starting")
        child = await Child.start(program, self._state.log(program.name))
        self._children[program.name] = child
        process = self._of[program.name]
        process.pid, process.since, process.ready_seconds = Pid.of(child.pid), child.since, None
        self._mark(program, "starting")
        return child

    def _mark_ready(self, child: Child) -> None:
        self._of[child.program.name].ready_seconds = time.time() - child.since
        self._mark(child.program, "done" if child.program.once else "ready")
        self._ready[child.program.name].set()

    async def _renew(self, child: Child) -> None:
        """Somebody told it to stop, as `routiq deploy` does: it did not fail, however often."""
        await child.kill()  # what it started may have survived it
        self._say("info", f"{child.program.name} was told to stop; starting it anew")
        self._mark(child.program, "restarting")

    async def _mourn(self, child: Child, deaths: deque[float]) -> None:
        """Say who died and of what, then wait a little longer each time; too often and never ready ends all."""
        await child.kill()
        recent = [death for death in deaths if death > time.monotonic() - WITHIN_SECONDS]
        started = self._ready[child.program.name].is_set()
        if child.program.once or (not started and len(recent) > RESTARTS_ALLOWED):
            often = "" if child.program.once else f"{len(recent)} deaths in {WITHIN_SECONDS} s. "
            raise ReportedError(often + child.obituary())
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (len(recent) - 1), LONGEST_PAUSE_SECONDS)
        self._say("error", child.obituary())
        self._say("warning", f"restarting {child.program.name} in {pause:.1f} s")
        self._mark(child.program, "restarting")
        await asyncio.sleep(pause)

    async def _stop_all(self) -> None:
        self._record.phase = "stopping"
        children = sorted(self._children.values(), key=lambda child: -child.program.tier)
        for _, tier in groupby(children, key=lambda child: child.program.tier):
            await asyncio.gather(*(self._stop(child) for child in tier))

    async def _stop(self, child: Child) -> None:
        await child.stop()
        if not child.program.once:
            self._mark(child.program, "stopped")

    def kill_all(self) -> None:
        """For someone who will not wait."""
        for child in self._children.values():
            Pid.of(child.pid).kill_group()

    def _mark(self, program: Program, state: ProcessState) -> None:
        self._of[program.name].state = state
        self._state.write(self._record)
