"""What may be read of a clinic while a sync applies it: each record as it was or as it will be, never a mixture."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, NamedTuple

from tests.independent import Appointment, Clinic

Json = dict[str, Any]
OWN = ("name", "phone", "email", "cliniko_patient_id", "created_at")
"""Keys that follow from a patient's own record."""
OF_THOSE_SHOWN = (
    *OWN,
    "is_active",
    "activity_status",
    "recent_appointment_count",
    "upcoming_appointment_count",
    "next_appointment_time",
    "next_appointment_type",
    "recent_appointments",
    "upcoming_appointments",
)
"""Keys that follow from these and from the appointments shown."""


class Naming(NamedTuple):
    """Which names are known when something is read; a rename is seen everywhere at once."""

    types: dict[str, str | None]
    practitioners: dict[str, str | None]

    def of(self, one: Appointment) -> Appointment:
        return replace(
            one,
            type=self.types.get(one.type, one.type) if one.type else None,
            practitioner=self.practitioners.get(one.practitioner, one.practitioner) if one.practitioner else None,
        )


@dataclass(frozen=True)
class Arriving:
    """A clinic that is read for the first time: of each patient nothing, or the record and some appointments."""

    clinic: Clinic
    namings: Sequence[Naming]

    def namings_of(self, document: Json, now: datetime) -> set[int]:
        """The namings under which the document is a true one; none: it never was."""
        return {n for n, naming in enumerate(self.namings) if self._fits(document, naming, now)}

    def _fits(self, document: Json, naming: Naming, now: datetime) -> bool:
        patient = document["cliniko_patient_id"]
        row = self.clinic.patients.get(patient)
        if row is None:
            return False
        mine = [naming.of(one) for one in self.clinic.appointments[patient]]
        if "recent_appointments" not in document:  # a line of a file
            return agree(document, {key: one for key, one in alone(row, mine, now).items() if key in OWN})
        shown = {one["id"] for key in ("recent_appointments", "upcoming_appointments") for one in document[key]}
        wanted = alone(row, [one for one in mine if one.id in shown], now)
        if not agree(document, {key: wanted[key] for key in OF_THOSE_SHOWN}):
            return False
        if document["total_appointment_count"] == len(mine):
            return agree(document, alone(row, mine, now))
        return bool(len(shown) <= document["total_appointment_count"] < len(mine))

    def always(self) -> set[str]:
        """Who is in every list."""
        return set()


@dataclass(frozen=True)
class Changing:
    """A clinic that was read before and has changed since: each of its records is the old one or the new one."""

    before: Clinic
    after: Clinic
    namings: Sequence[Naming]

    def namings_of(self, document: Json, now: datetime) -> set[int]:
        """The namings under which the document is a true one; none: it never was."""
        patient = document["cliniko_patient_id"]
        if patient not in self.before.patients.keys() | self.after.patients.keys():
            return set()
        return {
            n
            for n, naming in enumerate(self.namings)
            if any(agree(document, state) for state in self.states(patient, naming, now))
        }

    def states(self, patient: str, naming: Naming, now: datetime) -> Iterator[Json]:
        """Every document the patient may have; the appointments of those who left are what they were."""
        rows = [clinic.patients.get(patient) for clinic in (self.before, self.after)]
        known = [clinic for clinic in (self.before, self.after) if patient in clinic.patients]
        old, new = ({one.id: naming.of(one) for one in known[at].appointments[patient]} for at in (0, -1))
        either = [_different(old.get(one), new.get(one)) for one in {**old, **new}]
        for row, appointments in product(_different(*rows), product(*either)):
            if row is not None:
                yield alone(row, [one for one in appointments if one is not None], now)

    def always(self) -> set[str]:
        """Who is in every list."""
        return self.before.patients.keys() & self.after.patients.keys()


def agree(document: Json, state: Json) -> bool:
    """Whether every key of the document that can be computed is as computed."""
    return all(document[key] == state[key] for key in document.keys() & state.keys())


def _different(old: Any, new: Any) -> list[Any]:
    return [old] if old == new else [old, new]


def alone(row: Json, appointments: Iterable[Appointment], now: datetime) -> Json:
    """The document of a patient with these appointments."""
    return Clinic({row["id"]: row}, {row["id"]: list(appointments)}).patient(row["id"], now)
