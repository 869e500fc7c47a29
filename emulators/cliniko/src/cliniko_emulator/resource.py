"""One resource: which columns filter, which hide rows by default, and how a record becomes JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cliniko_emulator.clinic import Clinic
from cliniko_emulator.filters import Kind
from cliniko_emulator.table import Table

# About 200 MB of JSON for each resource.
_TEXTS_KEPT = 150_000


class Writer(Protocol):
    """How a record becomes JSON."""

    def write(self, record: Any, clinic: Clinic, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A row is left out while a `hiding` column holds a value, unless a `q[]` names it; GET by id takes only those.

    `name` is the list's key in the answer, and the clinic's table unless `kept_in` names another.
    """

    name: str
    record: type[Any]
    columns: Mapping[str, Kind]
    hiding: tuple[str, ...] = ()
    shape: Writer
    default_sort: str = "created_at"
    kept_in: str = ""

    def table(self, clinic: Clinic) -> Table[Any]:
        table: Table[Any] = getattr(clinic, self.kept_in or self.name)
        return table

    def write(self, records: Iterable[Any], clinic: Clinic) -> list[bytes]:
        """Their JSON, kept until they change; links start with HERE."""
        written = self.table(clinic).written
        if len(written) > _TEXTS_KEPT:
            written.clear()
        for record in records:
            if record.id not in written:
                written[record.id] = self.shape.write(record, clinic)
        return [written[record.id] for record in records]

    @property
    def sortable(self) -> frozenset[str]:
        """SIM: Cliniko does not list its sortable columns; here it is those that filter and hold one value."""
        return frozenset(column for column, kind in self.columns.items() if kind is not Kind.ARRAY)


def columns(
    *, date: str = "", datetime: str = "", integer: str = "", string: str = "", boolean: str = "", array: str = ""
) -> dict[str, Kind]:
    named = {
        Kind.DATE: date,
        Kind.DATETIME: datetime,
        Kind.INTEGER: integer,
        Kind.STRING: string,
        Kind.BOOLEAN: boolean,
        Kind.ARRAY: array,
    }
    return {column: kind for kind, columns in named.items() for column in columns.split()}
