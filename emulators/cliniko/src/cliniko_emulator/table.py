"""One resource's records, and the selections that lists are served from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from cliniko_emulator.filters import Bound, Condition
from cliniko_emulator.order import NEVER_NULL, Order, Sort, distinct, sort_key
from cliniko_emulator.records import Record

R = TypeVar("R", bound=Record)

_SELECTIONS_KEPT = 8


class Selection(NamedTuple, Generic[R]):
    """A stretch of rows; good until the table changes."""

    rows: list[R]
    start: int
    stop: int

    @property
    def total(self) -> int:
        return self.stop - self.start

    def page(self, first: int, size: int) -> list[R]:
        return self.rows[self.start + first : min(self.start + first + size, self.stop)]


class Table(Generic[R]):
    """Records by id, and in every order that was asked for. A page at any depth costs what its rows cost.

    `shown_in`: tables whose records' JSON quotes this one's. `written` keeps the JSON of records until they change,
    `changes` counts how often one did.
    """

    def __init__(self, records: Iterable[R] = (), shown_in: Sequence["Table[Any]"] = ()) -> None:
        self.written: dict[int, bytes] = {}
        self.changes = 0
        self._by_id = {record.id: record for record in records}
        self._shown_in = shown_in
        self._orders: dict[Sort, Order[R]] = {}
        self._indexes: dict[str, Order[R]] = {}
        self._selections: dict[tuple[frozenset[Condition], Sort], Selection[R]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[R]:
        return iter(self._by_id.values())

    def get(self, record_id: int | None) -> R | None:
        return None if record_id is None else self._by_id.get(record_id)

    def add(self, record: R) -> None:
        """A record of the same id makes room."""
        if (held := self._by_id.get(record.id)) is not None:
            self.remove(held)
        self._by_id[record.id] = record
        for order in self._every_order():
            order.add(record)
        self._forget(record)

    def remove(self, record: R) -> None:
        for order in self._every_order():
            order.remove(record)
        del self._by_id[record.id]
        self._forget(record)

    def change(self, record: R, values: Mapping[str, object]) -> None:
        self.remove(record)
        for column, value in values.items():
            setattr(record, column, value)
        self.add(record)

    def _forget(self, record: R) -> None:
        self.changes += 1
        self._selections.clear()
        self.written.pop(record.id, None)
        for table in self._shown_in:
            table.written.clear()

    def prepare(self, *columns: str) -> None:
        """Sorts by these ahead of the first request that asks for it."""
        for column in columns:
            self._order(((column, False),))

    def select(self, conditions: frozenset[Condition], sort: Sort) -> Selection[R]:
        """Every record that meets all conditions, in order."""
        key = (conditions, distinct(sort))
        if key not in self._selections:
            if len(self._selections) >= _SELECTIONS_KEPT:
                self._selections.clear()
            self._selections[key] = self._select(*key)
        return self._selections[key]

    def _select(self, conditions: frozenset[Condition], sort: Sort) -> Selection[R]:
        bounds = _bounds(conditions)
        column, descending = sort[0]
        if column in bounds and not descending:
            others = [one for one in conditions if one.bound is None or one.column != column]
            return self._stretch(sort, bounds[column], others)
        ids = next((one.among for one in conditions if one.column == "id" and one.among is not None), None)
        if ids is not None:
            found = [record for one in ids if (record := self._by_id.get(one)) is not None]
        elif bounds:
            found = min((self._between(*one) for one in bounds.items()), key=len)
        else:
            return self._stretch(sort, None, conditions)
        rows = sorted(_meeting(found, conditions), key=sort_key(sort))
        return Selection(rows, 0, len(rows))

    def _stretch(self, sort: Sort, bounds: list[Bound] | None, conditions: Iterable[Condition]) -> Selection[R]:
        order = self._order(sort)
        part = slice(0, len(order.rows)) if bounds is None else order.within(bounds)
        tests = [one for one in conditions if one.test is not None]
        if not tests:
            return Selection(order.rows, part.start, part.stop)
        rows = _meeting(order.rows[part], tests)
        return Selection(rows, 0, len(rows))

    def _between(self, column: str, bounds: list[Bound]) -> list[R]:
        index = self._order(((column, False),)) if column in NEVER_NULL else self._index(column)
        return index.rows[index.within(bounds)]

    def _index(self, column: str) -> Order[R]:
        if column not in self._indexes:
            self._indexes[column] = Order(self, ((column, False),), sparse=True)
        return self._indexes[column]

    def _order(self, sort: Sort) -> Order[R]:
        if sort not in self._orders:
            self._orders[sort] = Order(self, sort)
        return self._orders[sort]

    def _every_order(self) -> Iterator[Order[R]]:
        return chain(self._orders.values(), self._indexes.values())


def _bounds(conditions: Iterable[Condition]) -> dict[str, list[Bound]]:
    bounds: dict[str, list[Bound]] = {}
    for condition in conditions:
        if condition.bound is not None:
            bounds.setdefault(condition.column, []).append(condition.bound)
    return bounds


def _meeting(records: list[R], conditions: Iterable[Condition]) -> list[R]:
    for condition in conditions:
        if (test := condition.test) is not None:
            column = attrgetter(condition.column)
            records = [record for record in records if test(column(record))]
    return records
