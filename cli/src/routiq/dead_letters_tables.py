"""Dead letters as tables."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.markup import escape
from rich.table import Table

from routiq.client import Answer
from routiq.console import MOMENT

COLUMNS = {
    "letter_id": "Id",
    "event": "Event",
    "organization_id": "Organization",
    "reason": "Reason",
    "attempts": "Attempts",
    "first_failed_at": "First failed",
    "last_failed_at": "Last failed",
}
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
    """Ids, moments and reasons."""
    table = Table(title=queue, caption=f"{len(found)} of {total}")
    for label in COLUMNS.values():
        table.add_column(label, overflow="fold", no_wrap=label == "Id")
    for one in found:
        table.add_row(*(_cell(name, one[name]) for name in COLUMNS))
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


def _cell(name: str, value: object) -> str:
    if value is None:
        return "-"
    if name.endswith("_at"):
        return datetime.fromisoformat(str(value)).astimezone().strftime(MOMENT)
    return escape(str(value))
