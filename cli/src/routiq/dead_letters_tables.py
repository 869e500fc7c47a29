"""Dead letters as tables."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.markup import escape
from rich.table import Table

from routiq.client import Answer
from routiq.console import MOMENT

STATES = {
    "applied": "applied",
    "dead": "dead again",
    "refused": "refused",
    "waiting": "on its way",
    "sending": "perhaps sent; redrive again",
}


def queues(survey: Answer) -> Table:
    """How many each holds, and since when."""
    table = Table("Queue", "Dead letters", "Oldest", title=f"{survey['total']} dead letters")
    for one in survey["queues"]:
        age = one["oldest_age_seconds"]
        table.add_row(one["queue"], str(one["letters"]), "-" if age is None else str(timedelta(seconds=round(age))))
    return table


def letters(queue: str, found: Sequence[Answer], total: int) -> Table:
    """Ids, moments and reasons; each letter in three lines, so that an id is whole on a narrow screen."""
    table = Table(title=queue, caption=f"{len(found)} of {total}", show_lines=True)
    table.add_column("Id", no_wrap=True)
    table.add_column("What, why, first and last failure")
    for one in found:
        what = f"{one['event'] or 'unknown'} of {one['organization_id'] or 'an unknown organization'}"
        why = f"{escape(one['reason'])}, attempts: {one['attempts'] or '?'}"
        table.add_row(one["letter_id"], f"{what}\n{why}\n{_at(one['first_failed_at'])}, {_at(one['last_failed_at'])}")
    return table


def letter(shown: Answer) -> Table:
    """One, line by line."""
    table = Table("", "", show_header=False)
    facts = {name: value for name, value in shown.items() if name not in ("ids", "headers")}
    for name, value in {**facts, **shown["ids"], **shown["headers"]}.items():
        table.add_row(name, "-" if value is None else escape(str(value)))
    return table


def redriven(states: Sequence[Answer]) -> Table:
    """How many of each queue stand how, and for which reason."""
    table = Table("Queue", "What became of it", "Reason", "Letters")
    counts = Counter((one["queue"], STATES[one["state"]], one["reason"] or "") for one in states)
    for (queue, state, reason), number in sorted(counts.items()):
        table.add_row(queue, state, escape(reason), str(number))
    return table


def _at(moment: str | None) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime(MOMENT) if moment else "?"
