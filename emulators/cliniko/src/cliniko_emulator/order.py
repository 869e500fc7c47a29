"""The records of a table in one order, kept sorted through every change."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from functools import total_ordering
from operator import attrgetter
from typing import Any, Generic, TypeVar

from cliniko_emulator.filters import Bound
from cliniko_emulator.records import Record

R = TypeVar("R", bound=Record)

# Columns with True for descending, the most significant first.
Sort = tuple[tuple[str, bool], ...]
Rank = Callable[[Any], Any]

NEVER_NULL = {"id", "created_at", "updated_at", "starts_at", "ends_at"}


class Order(Generic[R]):
    """SIM: equal rows follow each other by id; Cliniko does not say how. `sparse`: without null in the first column."""

    def __init__(self, records: Iterable[R], sort: Sort, *, sparse: bool = False) -> None:
        self.key = sort_key(sort)
        self._column = sort[0][0]
        self._value = attrgetter(self._column)
        self._sparse = sparse
        self.rows = sorted(filter(self._holds, records) if self._sparse else records, key=self.key)

    def add(self, record: R) -> None:
        if self._holds(record):
            insort(self.rows, record, key=self.key)

    def remove(self, record: R) -> None:
        """To be called before a column changes: the record is looked for where it stands."""
        if self._holds(record):
            del self.rows[bisect_left(self.rows, self.key(record), key=self.key)]

    def _holds(self, record: R) -> bool:
        return not self._sparse or self._value(record) is not None

    def within(self, bounds: Iterable[Bound]) -> slice:
        """Where the rows stand whose first sort column keeps the bounds; for orders that ascend by it."""
        rank = _rank(self._column)

        def place(record: R) -> Any:
            return rank(self._value(record))

        start = 0
        stop = len(self.rows) if self._column in NEVER_NULL else bisect_left(self.rows, rank(None), key=place)
        for sign, limit in bounds:
            cut = (bisect_left if sign in {">=", "<"} else bisect_right)(self.rows, rank(limit), key=place)
            start, stop = (max(start, cut), stop) if sign.startswith(">") else (start, min(stop, cut))
        return slice(start, max(start, stop))


def distinct(sort: Sort) -> Sort:
    """The same order without what cannot matter: ids differ, so nothing comes after them, and they break every tie."""
    columns = [column for column, _ in sort]
    kept = sort[: columns.index("id") + 1] if "id" in columns else sort
    return kept[:-1] if len(kept) > 1 and kept[-1] == ("id", False) else kept


def sort_key(sort: Sort) -> Rank:
    """Sorts as PostgreSQL does: null counts as larger than any value."""
    columns = [column for column, _ in sort]
    if NEVER_NULL.issuperset(columns) and not any(descending for _, descending in sort):
        return attrgetter(*columns, "id")
    ranks = [(attrgetter(column), _descending if descending else _rank(column)) for column, descending in sort]
    return lambda record: (*[rank(value(record)) for value, rank in ranks], record.id)


def _rank(column: str) -> Rank:
    return _itself if column in NEVER_NULL else _null_last


def _itself(value: Any) -> Any:
    return value


def _null_last(value: Any) -> Any:
    return (value is None, value or 0) if not isinstance(value, str) else (False, value)


def _descending(value: Any) -> Any:
    if value is None:
        return (False, 0)
    return (True, _Reversed(value) if isinstance(value, str) else -value)


@total_ordering
class _Reversed:
    """Text that sorts backwards; numbers are negated instead."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and self.text == other.text

    def __lt__(self, other: "_Reversed") -> bool:
        return self.text > other.text
