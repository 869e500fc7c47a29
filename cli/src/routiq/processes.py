"""A program, and the child process it becomes."""

import asyncio
import contextlib
import enum
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from routiq.accounts import Account
from routiq.failures import ReportedError
from routiq.probes import Probe

PROBE_INTERVAL_SECONDS = 0.1
LAST_LINES = 15


class Tier(enum.IntEnum):
    """Stopped from the highest down, the members of one tier at once."""

    SUPPORT = 0
    SERVER = 1
    SERVICE = 2


@dataclass(frozen=True)
class Program:
    """What to run, how to tell that it is ready, and how it wants to be stopped.

    `environment` is complete: a child inherits nothing it was not given. A `once` program is ready when it has ended.
    """

    name: str
    command: tuple[str, ...] = field(repr=False)  # it may carry passwords, as the environment does
    environment: Mapping[str, str] = field(repr=False)
    port: int | None = None
    ready: Probe | None = None
    prepare: Callable[[], Awaitable[None]] | None = None
    after: tuple[str, ...] = ()
    once: bool = False
    tier: Tier = Tier.SERVER
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    account: Account | None = None
    home: Path | None = None


def in_home(relative: str) -> str:
    """An argument that names a path in the program's `home`; see `_opened`."""
    return f"{{home}}/{relative}"


@contextlib.contextmanager
def _opened(program: Program) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The path by which the child reaches its home, and the descriptors it needs for that.

    An account we drop to may not be able to walk to a directory below root's own, although the directory itself
    is its own: it reaches it through an inherited descriptor instead.
    """
    if program.home is None or program.account is None:
        yield str(program.home), ()
        return
    descriptor = os.open(program.home, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


async def _spawn(program: Program, output: BinaryIO) -> asyncio.subprocess.Process:
    account = program.account
    with _opened(program) as (home, descriptors):
        return await asyncio.create_subprocess_exec(
            *(part.replace("{home}", home) for part in program.command),
            env=dict(program.environment),
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor only, which stops in order
            pass_fds=descriptors,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


class Child:
    """A running program; what it prints goes to `log` by itself, so it outlives whoever started it."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, log: Path, printed_before: int) -> None:
        self.program = program
        self.log = log
        self.pid = process.pid
        self.since = time.time()
        self._process = process
        self._printed_before = printed_before

    @classmethod
    async def start(cls, program: Program, log: Path) -> "Child":
        if program.prepare is not None:
            await program.prepare()
        with log.open("ab") as output:
            printed_before = output.tell()
            return cls(program, await _spawn(program, output), log, printed_before)

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; none while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        return await self._process.wait()

    async def ready(self, timeout_seconds: float | None) -> bool:
        """False when it ended instead."""
        if self.program.once:
            return await self.wait() == 0
        try:
            async with asyncio.timeout(timeout_seconds):
                while self.status is None:
                    if self.program.ready is None or await self.program.ready():
                        return True
                    await asyncio.sleep(PROBE_INTERVAL_SECONDS)
        except TimeoutError:
            message = f"{self.program.name} was not ready in {timeout_seconds} s; its last lines:"
            raise ReportedError(f"{message}\n{self.last_lines()}") from None
        return False

    async def stop(self) -> None:
        """Ask, wait for its grace, then kill it with everything it started."""
        if self.status is None:
            self._process.send_signal(self.program.stop_signal)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.program.grace_seconds):
                    await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()

    def last_lines(self) -> str:
        """Its own, not those of one that wrote to the log before it."""
        lines = self.log.read_bytes()[self._printed_before :].decode(errors="replace").splitlines()
        return "\n".join(lines[-LAST_LINES:])

    def obituary(self) -> str:
        """What a person needs to know about its end."""
        status = self.status or 0
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
        return f"{self.program.name} (pid {self.pid}) {how}; its last lines:\n{self.last_lines()}"


async def run_once(program: Program, log: Path) -> None:
    """Run to the end; raises with its last lines when it fails."""
    child = await Child.start(program, log)
    try:
        if await child.wait() != 0:
            raise ReportedError(child.obituary())
    finally:
        await child.kill()


@contextlib.asynccontextmanager
async def running(*programs: Program, logs: Path) -> AsyncIterator[list[Child]]:
    """Start in order, each ready before the next; stop in reverse."""
    children: list[Child] = []
    try:
        for program in programs:
            children.append(await Child.start(program, logs / f"{program.name}.log"))
            if not await children[-1].ready(timeout_seconds=60):
                raise ReportedError(children[-1].obituary())
        yield children
    finally:
        for child in reversed(children):
            await child.stop()
