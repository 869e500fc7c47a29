"""Two PostgreSQL servers, of which one follows the other and takes its place when told."""

import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from routiq.accounts import unprivileged
from routiq.plan import DATABASE
from routiq.ports import LOOPBACK, free_port
from routiq.processes import Child, Program, in_home, run_once, running
from routiq.servers import binaries
from routiq.servers.postgres import DATA, ENVIRONMENT, Postgres, ensure_database

NOTHING_IS_LOST = ("-c", "synchronous_standby_names=*")
"""A COMMIT is answered once the standby has it too."""
NO_DISK_IS_LOST = ("-c", "fsync=off")


@dataclass(frozen=True)
class Pair:
    """A primary, and the standby that has every transaction whose COMMIT was answered."""

    primary: Postgres
    standby: Postgres
    process: Child
    """The primary's."""

    @property
    def url(self) -> str:
        """Both, as libpq, asyncpg and SQLAlchemy all understand it: who connects takes the first that answers."""
        ports = f"{self.primary.port},{self.standby.port}"
        place = f"/{DATABASE}?host={LOOPBACK},{LOOPBACK}&port={ports}"
        return f"postgresql://routiq:{self.primary.password}@{place}"

    async def lose_the_primary(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def promote(self) -> None:
        owner = await asyncpg.connect(self.standby.url())
        assert await owner.fetchval("SELECT pg_promote()")
        await owner.close()


@asynccontextmanager
async def pair(home: Path, logs: Path) -> AsyncIterator[Pair]:
    """Both run, the standby as a copy that was made over the network."""
    account, password = unprivileged(), secrets.token_hex(16)
    found = binaries.within_reach(binaries.find(home, account), account, home)
    primary, standby = (Postgres(found, home / name, free_port(), password, account) for name in ("one", "other"))
    first, second = (server.program(logs / "initdb.log") for server in (primary, standby))
    first = replace(first, command=(*first.command, *NO_DISK_IS_LOST, *NOTHING_IS_LOST))
    second = replace(second, command=(*second.command, *NO_DISK_IS_LOST), name="standby")
    try:
        async with running(first, logs=logs) as (process,):
            await _copy(primary, standby, logs / "copy.log")
            async with running(second, logs=logs):
                await ensure_database(primary.url(), DATABASE)
                yield Pair(primary, standby, process)
    finally:
        binaries.forget_copy(home)


async def _copy(primary: Postgres, standby: Postgres, log: Path) -> None:
    place = standby.home / standby.binaries.major
    place.mkdir(mode=0o700, parents=True)
    if standby.account:
        standby.account.takes(place)
    whose = ("-h", LOOPBACK, "-p", str(primary.port), "-U", "routiq")
    program = Program(
        name="pg_basebackup",
        command=(str(primary.binaries.directory / "pg_basebackup"), *whose, "-D", in_home(DATA), "-R", "-c", "fast"),
        environment={**ENVIRONMENT, "PGPASSWORD": primary.password},
        account=standby.account,
        home=place,
    )
    await run_once(program, log)
