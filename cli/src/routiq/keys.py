"""The keys that seal the clinics' API keys: add one, and seal everything anew with the newest."""

import asyncio
import base64
import json
import secrets
from dataclasses import replace
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from routiq.console import out
from routiq.failures import ReportedError
from routiq.plan import WITH_A_DATABASE, Plan
from routiq.state import StateDirectory

ROTATE = "rotate-keys"
SETTING = "CREDENTIALS_KEYS"


def new_key() -> str:
    """`<id>:<base64 of 32 bytes>`, as `CREDENTIALS_KEYS` lists them."""
    return f"{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def add(state: StateDirectory, plan: Plan) -> str:
    """Put a new key before those in `.routiq/`; returns its id. Raises when the keys are set from outside."""
    if SETTING in plan.settings.given:
        raise ReportedError(
            f"{SETTING} is set, so the keys are yours to keep: put a new one first, `<id>:$(openssl rand -base64 32)`,"
            " restart, then `routiq keys rotate`."
        )
    known, key = state.secrets(WITH_A_DATABASE), new_key()
    state.keep(replace(known, credentials_keys=f"{key},{known.credentials_keys}"))
    return key.partition(":")[0]


async def rotate(plan: Plan) -> None:
    """Seal every API key with the newest key while the system runs, with a bar."""
    sync = plan.program("sync")
    process = await asyncio.create_subprocess_exec(
        *sync.command, ROTATE, env=dict(sync.environment), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    last: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out) as progress:
        bar = progress.add_task("Sealing API keys", total=None)
        async for line in process.stdout:
            last = json.loads(line)
            if "total" in last:
                done = last["resealed"] + last["unreadable"]
                progress.update(bar, total=max(last["total"], done), completed=done)
    await process.wait()
    _report(last, process.returncode)


def _report(last: dict[str, Any], status: int | None) -> None:
    if "refused" in last:
        raise ReportedError(
            f"{last['replicas']} running sync services do not have the key {last['key_id']} yet, and could not open "
            "what it seals. Restart them first (`routiq down`, `routiq up`)."
        )
    if last.get("unreadable"):
        raise ReportedError(
            f"{last['unreadable']} API keys are sealed with a key that is no longer listed. List it again, or have "
            "these clinics connect anew."
        )
    if status != 0:
        raise ReportedError("The API keys could not all be sealed; what is done stays done. Try again.")
    out.print(f"{last['resealed']} API keys were sealed anew; all are sealed with {last['key_id']} now.")
