"""What every command does around its work: find what is running, and say why it cannot go on."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import typer

from routiq import console
from routiq.background import make_plan
from routiq.failures import ReportedError
from routiq.plan import Plan
from routiq.state import Record, StateDirectory

T = TypeVar("T")
ENDED = 128 + signal.SIGTERM
"""As a shell says it of a program that a signal ended."""


def state_directory() -> StateDirectory:
    """The one of the current directory."""
    return StateDirectory(Path(".routiq"))


def running_record() -> Record:
    """Of what is running. Raises Exit when nothing is."""
    record = state_directory().read()
    if record is None or not record.supervisor.alive():
        raise reported(ReportedError("Routiq is not running here; `routiq up` starts it."))
    return record


def plan_of_running() -> Plan:
    """The plan that what is running was started by. Raises Exit when nothing is, or it cannot be known."""
    try:
        return make_plan(state_directory(), running_record())
    except ReportedError as error:
        raise reported(error) from None


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do it; a ReportedError becomes the message and exit status of the command, and so does being told to end."""
    try:
        return asyncio.run(work)
    except ReportedError as error:
        raise reported(error) from None
    except asyncio.CancelledError:
        raise typer.Exit(ENDED) from None


def reported(error: ReportedError) -> typer.Exit:
    """Print why it cannot go on; raise what this returns."""
    console.errors.print(str(error), style="red", markup=False, soft_wrap=True)
    return typer.Exit(error.exit_status)
