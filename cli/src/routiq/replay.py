"""Say all of a clinic's records again, for a service that has lost its own."""

import asyncio

from routiq.failures import ReportedError
from routiq.plan import Plan


async def replay(plan: Plan, organization: str, to: str | None) -> str:
    """What the sync service says of it. Raises ReportedError with its reason."""
    sync = plan.program("sync")
    arguments = ("replay", organization, *(("--to", to) if to else ()))
    process = await asyncio.create_subprocess_exec(
        *sync.command,
        *arguments,
        env=dict(sync.environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    if process.returncode:
        raise ReportedError(complaint.decode().strip() or "The records could not be said again. Try again.")
    return said.decode().strip()
