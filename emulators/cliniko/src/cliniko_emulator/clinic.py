"""One clinic's records in memory, and the selections that lists are served from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, TypeVar

from cliniko_emulator.accounts import Account
from cliniko_emulator.filters import Condition
from cliniko_emulator.records import Appointment, AppointmentType, Business, Patient, Practitioner, Record

R = TypeVar("R", bound=Record)

# Columns with True for descending, the most significant first.
Sort = tuple[tuple[str, bool], ...]

_SELECTIONS_KEPT = 32


class Table(Generic[R]):
    """Records by id. What a walk of pages needs is computed for its first page and kept until a record changes."""

    def __init__(self, records: Iterable[R]) -> None:
        self._by_id = {record.id: record for record in records}
        self._orders: dict[Sort, list[R]] = {}
        self._selections: dict[tuple[frozenset[Condition], Sort], list[R]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[R]:
        return iter(self._by_id.values())

    def get(self, record_id: int | None) -> R | None:
        return None if record_id is None else self._by_id.get(record_id)

    def put(self, record: R) -> None:
        """Adds a record, or says that it has changed."""
        self._by_id[record.id] = record
        self._orders.clear()
        self._selections.clear()

    def select(self, conditions: frozenset[Condition], sort: Sort) -> list[R]:
        """Every record that meets all conditions, in order."""
        key = (conditions, sort)
        if key not in self._selections:
            if len(self._selections) >= _SELECTIONS_KEPT:
                self._selections.clear()
            self._selections[key] = self._filter(self._in_order(sort), conditions)
        return self._selections[key]

    def _filter(self, records: list[R], conditions: frozenset[Condition]) -> list[R]:
        for condition in conditions:
            if (test := condition.test) is not None:
                column = attrgetter(condition.column)
                records = [record for record in records if test(column(record))]
        return records

    def _in_order(self, sort: Sort) -> list[R]:
        if sort not in self._orders:
            records = list(self._by_id.values())
            for column, descending in reversed(sort):
                records = _sorted(records, column, descending)
            self._orders[sort] = records
        return self._orders[sort]


def _sorted(records: list[R], column: str, descending: bool) -> list[R]:
    """As PostgreSQL sorts: null counts as larger than any value."""
    value = attrgetter(column)
    nulls = [record for record in records if value(record) is None]
    others = sorted((record for record in records if value(record) is not None), key=value, reverse=descending)
    return nulls + others if descending else others + nulls


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The user whose API key opens the clinic."""

    id: int
    first_name: str
    last_name: str
    email: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    account: Account
    name: str
    owner: Owner
    patients: Table[Patient]
    individual_appointments: Table[Appointment]
    appointment_types: Table[AppointmentType]
    practitioners: Table[Practitioner]
    businesses: Table[Business]

    @property
    def subdomain(self) -> str:
        return self.name.lower().replace(" ", "-")
