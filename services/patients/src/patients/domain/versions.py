"""Which of several states of a record counts."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from contracts.records import Record

R = TypeVar("R", bound=Record)


def newest_of_each(records: Iterable[R], key: Callable[[R], str]) -> list[R]:
    """One state of each record, in the order of the keys: a statement may name a row once, and locks in this order."""
    newest = {key(record): record for record in sorted(records, key=lambda record: record.sequence)}
    return [newest[name] for name in sorted(newest)]
