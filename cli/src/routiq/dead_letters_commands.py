"""`routiq dead-letters`."""

from enum import StrEnum
from typing import Annotated

import typer

from routiq import dead_letters
from routiq.failures import UsageError
from routiq.invocation import reported, run, running_record

dead_letter_commands = typer.Typer(no_args_is_help=True, help="Messages that a service has given up.")

Queue = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue they were given up in.")]
AnyQueue = Annotated[str | None, typer.Argument(metavar="[QUEUE]", help="Only of this queue; by default of all.")]
OneLetter = Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this one.")]


class Reason(StrEnum):
    """Why what a message says is not needed."""

    UNREADABLE = "unreadable"
    OBSOLETE = "obsolete"
    DUPLICATE = "duplicate"
    ERASURE = "erasure"


@dead_letter_commands.command("list")
def list_(
    queue: AnyQueue = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Of a queue's messages, no more than these.")] = 50,
) -> None:
    """The queues that hold any; or a queue's messages, those first that were given up first."""
    record = running_record()
    run(dead_letters.show_letters(record, queue, limit) if queue else dead_letters.show_queues(record))


@dead_letter_commands.command()
def show(queue: Queue, letter: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """A message's ids and headers; never what it says."""
    run(dead_letters.show(running_record(), queue, letter))


@dead_letter_commands.command()
def redrive(
    queue: AnyQueue = None,
    letter: OneLetter = None,
    every: Annotated[bool, typer.Option("--all", help="Of every queue.")] = False,
    wait: Annotated[int, typer.Option(min=0, help="Seconds to follow them for.")] = 90,
) -> None:
    """Send messages to their queues again, and tell what becomes of each. It may be repeated safely."""
    if every == bool(queue):
        raise reported(UsageError("Name a queue, or say --all."))
    run(dead_letters.redrive(running_record(), queue, letter, wait))


@dead_letter_commands.command()
def drop(
    queue: Queue,
    letter: OneLetter = None,
    *,
    reason: Annotated[Reason, typer.Option(help="Goes on record.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove messages for good."""
    record = running_record()
    if not yes:
        what = f"the message {letter}" if letter else f"all {run(dead_letters.count(record, queue))} messages"
        typer.confirm(f"Drop {what} of {queue} for good?", abort=True)
    run(dead_letters.drop(record, queue, letter, reason))
