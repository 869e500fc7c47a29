"""The PostgreSQL that is copied from or to, and its own programs for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from routiq.failures import ReportedError
from routiq.plan import Plan
from routiq.processes import running
from routiq.servers import binaries
from routiq.servers.postgres import MAINTENANCE


@dataclass(frozen=True)
class Server:
    """As the owner of Routiq's database sees it."""

    url: str
    """Of Routiq's database, which may be lost."""
    programs: Path

    @property
    def database(self) -> str:
        return urlsplit(self.url).path.removeprefix("/")

    def of(self, database: str) -> str:
        """The address of another database here."""
        return urlsplit(self.url)._replace(path=f"/{database}").geturl()

    @asynccontextmanager
    async def connected(self, database: str = MAINTENANCE) -> AsyncIterator[asyncpg.Connection]:
        """Raises ReportedError when nobody answers, asyncpg's errors for what the server refuses."""
        try:
            connection = await asyncpg.connect(self.of(database))
        except OSError:
            raise ReportedError("PostgreSQL cannot be reached. Nothing was changed; start it, and try again.") from None
        try:
            yield connection
        finally:
            await connection.close()

    async def run(self, program: str, *arguments: str, database: str) -> str:
        """What it prints. Raises ReportedError with what it complains of, which names tables and never quotes rows."""
        process = await asyncio.create_subprocess_exec(
            str(self.programs / program),
            *arguments,
            env=self._environment(database),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complaint = await process.communicate()
        if process.returncode:
            raise ReportedError(" ".join(complaint.decode(errors="replace").strip().splitlines()[:2]))
        return said.decode()

    def _environment(self, database: str) -> Mapping[str, str]:
        """The password too: arguments can be read by every user of a machine."""
        parts = urlsplit(self.url)
        (mode,) = parse_qs(parts.query).get("sslmode", ["prefer"])
        return {
            "PGHOST": parts.hostname or "",
            "PGPORT": str(parts.port or 5432),
            "PGUSER": unquote(parts.username or ""),
            "PGPASSWORD": unquote(parts.password or ""),
            "PGDATABASE": database,
            "PGSSLMODE": mode,
            "LC_ALL": "C.UTF-8",
        }


@asynccontextmanager
async def server_of(plan: Plan, *, is_up: bool) -> AsyncIterator[Server]:
    """Our own is started where it is not up; one of `DATABASE_URL` is."""
    own = plan.servers.postgres
    if own is None:
        yield Server(plan.owner_url, binaries.find(plan.state.path, None).directory)
    elif is_up:
        yield Server(plan.owner_url, own.binaries.directory)
    else:
        async with running(plan.program("postgres"), logs=plan.state.logs):
            yield Server(plan.owner_url, own.binaries.directory)
