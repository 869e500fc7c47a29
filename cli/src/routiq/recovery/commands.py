"""`routiq backup` and `routiq restore`."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from routiq.background import make_plan
from routiq.console import out
from routiq.failures import ReportedError
from routiq.invocation import plan_of_running, run, state_directory
from routiq.plan import Plan
from routiq.recovery.backup import back_up
from routiq.recovery.manifest import DUMP
from routiq.recovery.restore import Restored, restore
from routiq.recovery.server import server_of


def backup(
    directory: Annotated[Path, typer.Option("--to", help="Where backups are kept.")] = Path("backups"),
) -> None:
    """Copy everything that is stored, while the system runs."""
    place = run(_back_up(directory))
    out.print(f"{place}: {(place / DUMP).stat().st_size:,} bytes.", soft_wrap=True)
    out.print("Keep it away from this machine, and the keys that open the clinics' API keys away from it.")


def restore_(backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="A directory that `backup` made.")]) -> None:
    """Bring back what a backup holds, while every service is stopped."""
    restored = run(_restore(backup))
    out.print(f"Everything is as it was at {restored.manifest.made_at}.")
    if restored.replaced:
        out.print(f"What was there before is kept as the database {restored.replaced}.", soft_wrap=True)
    _tell_of_erasures(restored)
    out.print("Next: start every service, then `routiq replay ORG` and `routiq sync ORG` for each clinic.")


async def _back_up(directory: Path) -> Path:
    _cancelled_by_sigterm()
    is_up = _is_up()
    async with server_of(plan_of_running() if is_up else _plan(), is_up=is_up) as server:
        return await back_up(server, directory)


async def _restore(backup: Path) -> Restored:
    _cancelled_by_sigterm()
    if _is_up():
        raise ReportedError("Routiq is running here: `routiq down` stops it. Nothing was changed.")
    plan = _plan()
    async with server_of(plan, is_up=False) as server:
        return await restore(plan, server, backup)


def _plan() -> Plan:
    state = state_directory()
    state.create()
    return make_plan(state)


def _cancelled_by_sigterm() -> None:
    """As Ctrl-C does it: what is unfinished is cleared away, and programs under way are ended."""
    work = asyncio.current_task()
    assert work is not None  # noqa: S101 - it is called by one; narrows it for the checker
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)


def _is_up() -> bool:
    record = state_directory().read()
    return record is not None and record.supervisor.alive()


def _tell_of_erasures(restored: Restored) -> None:
    if restored.erased_again is None:
        out.print(
            f"Nothing here knows who was erased after {restored.manifest.made_at}: have the clinics erase them again.",
            style="red",
            soft_wrap=True,
        )
    elif restored.erased_again:
        out.print(f"{restored.erased_again} patients who were erased after the backup were erased again.")
