"""Where a change happens: a clinic's table, and the records in it that are meant."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cliniko_emulator.clinic import Clinic
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.resource import Resource
from cliniko_emulator.table import Table
from cliniko_emulator.wire import ColumnError, from_json, missing_columns

_HALF_AN_HOUR = 1800
_PHONES = {"patient_phone_numbers"}


@dataclass(frozen=True, slots=True)
class Site:
    cliniko: Cliniko
    clinic: Clinic
    resource: Resource

    @property
    def table(self) -> Table[Any]:
        return self.resource.table(self.clinic)

    def filled(self, given: Mapping[str, object], now: float) -> dict[str, object]:
        """A new record's columns, identity and times filled in where they are not given; raises ColumnError."""
        values = {"id": time.time_ns(), "created_at": now, "updated_at": now} | from_json(self.resource.record, given)
        if "ends_at" in self.resource.columns and isinstance(starts_at := values.get("starts_at"), float):
            values.setdefault("ends_at", starts_at + _HALF_AN_HOUR)
        if missing := missing_columns(self.resource.record, values):
            raise ColumnError(f"needed as well: {', '.join(missing)}")
        return values

    def insert(self, given: Mapping[str, object], now: float) -> Any:
        record = self.resource.record(**self.filled(given, now))
        self.table.add(record)
        return record

    def update(self, record: Any, given: Mapping[str, object], now: float) -> None:
        self.change(record, self.changes(given), now, "update")

    def changes(self, given: Mapping[str, object]) -> dict[str, object]:
        """Null is a value, an absent key changes nothing; raises ColumnError."""
        if "id" in given:
            raise ColumnError("an id never changes")
        return from_json(self.resource.record, given)

    def change(self, record: Any, values: Mapping[str, object], now: float, kind: str) -> None:
        """`updated_at` becomes now unless it is given, or a switch says that such a change leaves it alone."""
        kinds = {kind, "phones"} if values.keys() == _PHONES else {kind}
        quiet = not kinds.isdisjoint(self.cliniko.switches.quiet_changes)
        self.table.change(record, values if quiet else {"updated_at": now, **values})
