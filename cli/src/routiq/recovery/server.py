"""The PostgreSQL that is copied from or to, and its own programs for it."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from routiq.failures import ReportedError
from routiq.plan import Plan
from routiq.processes import running
from routiq.servers import binaries
from routiq.servers.postgres import MAINTENANCE

NOT_OURS = (asyncpg.InvalidCatalogNameError, asyncpg.InvalidSchemaNameError, asyncpg.UndefinedTableError)
"""What is met in a server without Routiq's database, and in a database without its tables."""


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
            place = urlsplit(self.url)
            raise ReportedError(
                f"PostgreSQL cannot be reached at {place.hostname}:{place.port or 5432}. Nothing was changed; start "
                "it, and try again. DATABASE_URL says which one; where that is not set, it is that of `routiq up`."
            ) from None
        except asyncpg.InvalidAuthorizationSpecificationError:
            raise ReportedError("PostgreSQL does not let this user in. Nothing was changed.") from None
        try:
            yield connection
        finally:
            await connection.close()

    async def run(self, program: str, *arguments: str, database: str) -> None:
        """Raises ReportedError with what it complains of, which names tables and never quotes rows."""
        process = await asyncio.create_subprocess_exec(
            str(self.programs / program),
            f"--dbname={self._without_password(database)}",
            *arguments,
            env=self._environment(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await ended(process)
        if process.returncode:
            raise ReportedError(" ".join(complaint.decode(errors="replace").strip().splitlines()[:2]))

    def _without_password(self, database: str) -> str:
        """With all that DATABASE_URL says of the connection; arguments can be read by every user of a machine."""
        parts = urlsplit(self.of(database))
        credentials, at, place = parts.netloc.rpartition("@")
        return parts._replace(netloc=credentials.partition(":")[0] + at + place).geturl()

    def _environment(self) -> Mapping[str, str]:
        """`HOME` is where certificates are looked for that nobody named."""
        kept = {name: os.environ[name] for name in ("HOME",) if name in os.environ}
        return {**kept, "PGPASSWORD": unquote(urlsplit(self.url).password or ""), "LC_ALL": "C.UTF-8"}


async def ended(process: asyncio.subprocess.Process, given: bytes | None = None) -> tuple[bytes, bytes]:
    """What it printed and complained of. It does not outlive a command that is given up."""
    try:
        return await process.communicate(given)
    except BaseException:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise


@asynccontextmanager
async def server_of(plan: Plan, *, is_up: bool) -> AsyncIterator[Server]:
    """Our own is started where it is not up; one of `DATABASE_URL` is."""
    own = plan.servers.postgres
    if own is None:
        server = Server(plan.owner_url, Path())
        async with server.connected() as connection:
            major = connection.get_server_version().major
        yield replace(server, programs=binaries.client_programs(major))
    elif is_up:
        yield Server(plan.owner_url, own.binaries.directory)
    else:
        async with running(plan.program("postgres"), logs=plan.state.logs):
            yield Server(plan.owner_url, own.binaries.directory)
