"""A private PostgreSQL: TCP on the loopback address, password required, no socket file."""

import os
import shutil
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import asyncpg

from routiq.accounts import Account
from routiq.ports import LOOPBACK
from routiq.probes import postgres_answers
from routiq.processes import Program, in_home, run_once
from routiq.servers.binaries import Binaries

OWNER = "routiq"
MAINTENANCE = "postgres"
DATA, UNFINISHED, PASSWORD = "data", "new", "password"
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

# A statement or the details of a violated key may hold a patient's name; the log must not.
SILENT_ABOUT_DATA = ("-c", "log_min_error_statement=panic", "-c", "log_error_verbosity=terse")
FOR_TESTS = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


@dataclass(frozen=True)
class Postgres:
    """Runs as `account`, which `binaries` must be within reach of; root itself is refused by PostgreSQL."""

    binaries: Binaries
    home: Path
    port: int
    password: str
    account: Account | None
    durable: bool = True

    def url(self, database: str = MAINTENANCE) -> str:
        return f"postgresql://{OWNER}:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/{database}"

    def program(self, log: Path) -> Program:
        """`log` takes what is printed while the data directory is made, on the first start."""
        return Program(
            name="postgres",
            command=(str(self.binaries.directory / "postgres"), "-D", in_home(DATA), *self._options()),
            environment=ENVIRONMENT,
            port=self.port,
            ready=partial(postgres_answers, self.url()),
            prepare=partial(self._create, log),
            stop_signal=signal.SIGINT,  # "fast": it does not wait for clients to leave
            account=self.account,
            home=self._place,
        )

    @property
    def _place(self) -> Path:
        return self.home / self.binaries.major  # no version reads another's data

    def _options(self) -> tuple[str, ...]:
        options = ("-p", str(self.port), "-h", LOOPBACK, "-k", "", "-c", "max_connections=200")
        return (*options, *SILENT_ABOUT_DATA, *(() if self.durable else FOR_TESTS))

    async def _create(self, log: Path) -> None:
        """Initialise the data directory once; an interrupted attempt leaves nothing that looks complete."""
        if (self._place / DATA).exists():
            return
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = self._place / PASSWORD
        password.touch(mode=0o600)
        password.write_text(self.password)
        if self.account:
            self.account.takes(self._place)
            self.account.takes(password)
        shutil.rmtree(self._place / UNFINISHED, ignore_errors=True)
        await run_once(self._initdb(), log)
        password.unlink()
        (self._place / UNFINISHED).rename(self._place / DATA)

    def _initdb(self) -> Program:
        options = ("-U", OWNER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        places = ("-D", in_home(UNFINISHED), "--pwfile", in_home(PASSWORD))
        return Program(
            name="initdb",
            command=(str(self.binaries.directory / "initdb"), *places, *options, "--no-instructions"),
            environment=ENVIRONMENT,
            account=self.account,
            home=self._place,
        )


async def ensure_database(maintenance_url: str, name: str) -> None:
    connection = await asyncpg.connect(maintenance_url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
