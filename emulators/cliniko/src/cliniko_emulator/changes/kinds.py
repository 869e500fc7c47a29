"""The kinds of change to records. Each is checked when it is planned, and made as of a moment given later."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cliniko_emulator.changes.choice import Choice
from cliniko_emulator.changes.site import Site
from cliniko_emulator.records import Appointment, Attendee, Tombstone
from cliniko_emulator.resources import ATTENDEES, INDIVIDUAL_APPOINTMENTS, PATIENTS
from cliniko_emulator.wire import moment

# Makes the change as of UTC seconds, and says which ids it touched.
Change = Callable[[float], list[int]]


def insert(site: Site, *, values: Mapping[str, object] | None = None, count: int = 1) -> Change:
    site.filled(values or {}, 0)
    return lambda now: [site.insert(values or {}, now).id for _ in range(count)]


def update(site: Site, *, values: Mapping[str, object], **choice: Any) -> Change:
    return _changing(site, "update", lambda _now: site.changes(values), choice)


def _stamping(kind: str, column: str | None, site: Site, *, at: str | None = None, **choice: Any) -> Change:
    """`at`: when it happened; now if it is not given."""
    when = None if at is None else moment(at)

    def values(now: float) -> dict[str, object]:
        return {column: now if when is None else when} if column else {"archived_at": None}

    site.changes(dict.fromkeys(values(0)))
    return _changing(site, kind, values, choice)


def erase(site: Site, *, trace: bool = True, **choice: Any) -> Change:
    """The record is gone. `trace`: a patient stays in the old list of deleted ones, as Cliniko means it to be."""
    chosen = _chosen(site, choice)

    def make(now: float) -> list[int]:
        gone = chosen.records(site)
        for record in gone:
            site.table.remove(record)
            if trace and site.resource is PATIENTS:
                site.clinic.erased_patients.add(Tombstone(id=record.id, deleted_at=now))
        return [record.id for record in gone]

    return make


def merge(site: Site, *, into: str, **choice: Any) -> Change:
    """SIM: the losers' appointments go over to the winner; that Cliniko does so is an inference."""
    chosen, winner = _chosen(site, choice), int(into)

    def make(now: float) -> list[int]:
        losers = [record for record in chosen.records(site) if record.id != winner]
        for loser in losers:
            site.change(loser, {"archived_at": now, "merged_at": now, "merged_with_patient_id": winner}, now, "merge")
            for resource in (INDIVIDUAL_APPOINTMENTS, ATTENDEES):
                other = Site(site.cliniko, site.clinic, resource)
                for record in [one for one in other.table if one.patient_id == loser.id]:
                    other.change(record, {"patient_id": winner}, now, "merge")
        return [loser.id for loser in losers]

    return make


def attend(site: Site, **choice: Any) -> Change:
    """Gives individual appointments the attendee that group appointments have; the emulator's have none at first."""
    chosen = _chosen(site, choice)

    def make(_now: float) -> list[int]:
        made = [_attendee(booking) for booking in chosen.records(site) if booking.patient_id is not None]
        for attendee in made:
            site.clinic.attendees.add(attendee)
        return [attendee.id for attendee in made]

    return make


def _attendee(booking: Appointment) -> Attendee:
    shared = ("created_at", "updated_at", "patient_id", "cancelled_at", "archived_at", "deleted_at")
    return Attendee(id=time.time_ns(), booking_id=booking.id, **{name: getattr(booking, name) for name in shared})


def _changing(
    site: Site, kind: str, values: Callable[[float], Mapping[str, object]], choice: Mapping[str, Any]
) -> Change:
    chosen = _chosen(site, choice)
    values(0)

    def make(now: float) -> list[int]:
        records = list(chosen.records(site))
        for record in records:
            site.change(record, values(now), now, kind)
        return [record.id for record in records]

    return make


def _chosen(site: Site, choice: Mapping[str, Any]) -> Choice:
    chosen = Choice(**choice)
    chosen.check(site)
    return chosen


KINDS: dict[str, Callable[..., Change]] = {
    "insert": insert,
    "update": update,
    "archive": partial(_stamping, "archive", "archived_at"),
    "unarchive": partial(_stamping, "unarchive", None),
    "cancel": partial(_stamping, "cancel", "cancelled_at"),
    "delete": partial(_stamping, "delete", "deleted_at"),
    "erase": erase,
    "merge": merge,
    "attend": attend,
}
