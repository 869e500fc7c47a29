"""The services' own commands on a database that is brought back; what they announce goes out at the next start."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from routiq.failures import ReportedError
from routiq.plan import Plan, as_role
from routiq.recovery.server import Server, ended

STAND_IN = "routiq_standing_in"


async def tell(
    plan: Plan, server: Server, database: str, order: tuple[str, str], told: Iterable[Sequence[str]]
) -> None:
    """`order`: a service and its command, which reads a JSON array from each line. Raises ReportedError."""
    service, command = order
    program, lines = plan.program(service), "".join(json.dumps([*one]) + "\n" for one in told)
    if not lines:
        return
    async with _standing_in(server, f"routiq_{service}") as (role, password):
        process = await asyncio.create_subprocess_exec(
            *program.command,
            command,
            env={**program.environment, "DATABASE_URL": as_role(server.of(database), role, password)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await ended(process, lines.encode())
    if process.returncode:
        raise ReportedError(f"{service} could not {command}, so nothing was restored. {said.decode().strip()}")


@asynccontextmanager
async def _standing_in(server: Server, role: str) -> AsyncIterator[tuple[str, str]]:
    """Name and password of a role that may, for so long, what `role` may, whose own password is not known here."""
    password = secrets.token_hex(24)
    async with server.connected() as connection:
        await connection.execute(f"DROP ROLE IF EXISTS {STAND_IN}")
        await connection.execute(f"CREATE ROLE {STAND_IN} LOGIN PASSWORD '{password}' IN ROLE {role}")
        try:
            yield STAND_IN, password
        finally:
            await connection.execute(f"DROP ROLE {STAND_IN}")
