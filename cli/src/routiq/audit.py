"""Go along the audit chains, and name what was tampered with."""

import asyncio
import json
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from routiq.console import out
from routiq.failures import ReportedError
from routiq.plan import Plan

VERIFY = "verify-audit"
WHOLE, BROKEN, NOTHING = 0, 1, 2
"""The exit status of admin's own command."""


async def verify(plan: Plan, organization: str | None) -> None:
    """Go along one organization's chain or all, with a bar. Raises ReportedError when one is broken."""
    admin = plan.program("admin")
    arguments = (VERIFY, *((organization,) if organization else ()))
    process = await asyncio.create_subprocess_exec(
        *admin.command,
        *arguments,
        env=dict(admin.environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018 - they are pipes
    whole, broken = await _follow(process.stdout, by_name=organization is not None)
    complaint = (await process.stderr.read()).decode().strip()
    await process.wait()
    _report(process.returncode, whole, broken, complaint, organization)


async def _follow(said: asyncio.StreamReader, *, by_name: bool) -> tuple[int, int]:
    """Show each line as it comes. How many chains are whole, and how many broken."""
    whole = broken = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out) as progress:
        bar = progress.add_task("Verifying audit entries", total=None)
        async for line in said:
            fact = json.loads(line)
            whole, broken = whole + ("head" in fact), broken + ("broken" in fact)
            progress.update(bar, total=fact.get("total"), completed=fact.get("checked"))
            if "broken" in fact or (by_name and "head" in fact):
                progress.console.print(_told(fact), soft_wrap=True)
    return whole, broken


def _told(fact: dict[str, Any]) -> str:
    name = escape(fact["organization_id"])
    if "broken" in fact:
        return f"[red]{name}: broken at entry {fact['broken']}: {fact['why']}.[/]"
    return f"{name}: whole up to entry {fact['head']}, whose hash is {fact['hash']}"


def _report(status: int | None, whole: int, broken: int, complaint: str, organization: str | None) -> None:
    if status == BROKEN and broken:
        raise ReportedError(f"{broken} of {whole + broken} audit chains are broken. Nothing was changed.")
    if status == NOTHING and organization:
        raise ReportedError(f"Nothing is on record of {organization}.")
    if status != WHOLE:
        raise ReportedError(complaint or "The audit chains could not be verified. Try again.")
    out.print("The audit chain is whole." if organization else f"{whole} audit chains are whole.")
