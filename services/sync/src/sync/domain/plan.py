"""Which lists of Cliniko a run reads, in which way, and what becomes of their rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    Batch,
    PatientsSynced,
    PractitionersSynced,
    SyncMode,
)
from contracts.records import Record
from sync.domain import mapping
from sync.domain.clinic import Json
from sync.domain.groups import attended

BASIC_REACH = timedelta(days=30)
OVERLAP = timedelta(minutes=5)
"""How far back changes are read again: a long transaction may commit a row with a time that was passed already."""


@dataclass(frozen=True)
class Kind:
    """A kind of record: the name its landed rows carry, how a row is read, and the event that announces it."""

    name: str
    read: Callable[[Json], Record]
    event: type[Batch]
    counted: str | None = None
    """The run's counter of its records; reference data has none."""
    removed_as: str | None = None
    """Where `RecordsRemoved` names them; reference data stays, for other records show its names."""


@dataclass(frozen=True)
class Walk:
    """One list. `wildcards` lift Cliniko's exclusions, so that archived and cancelled rows are seen."""

    kind: Kind
    path: str
    wildcards: tuple[str, ...] = ()
    since: str | None = None
    """A condition that leaves a part of the list out."""
    vital: bool = True
    """A run cannot go on without it. Another list that the key may not read is as good as empty."""
    leads_to: "Walk | None" = None
    """Where the records are that its rows lead to, when they are not the rows themselves."""
    name: str = ""
    """What the checkpoints of its pages are kept under."""

    @property
    def filters(self) -> tuple[str, ...]:
        """The conditions of every request."""
        return (*self.wildcards, self.since) if self.since else self.wildcards

    @property
    def checkpoint(self) -> str:
        """Its name, by default its path."""
        return self.name or self.path

    def once_more(self, how: str) -> "Walk":
        """The same list, its pages counted apart."""
        return replace(self, name=f"{self.checkpoint} {how}")


@dataclass(frozen=True)
class Stream:
    """The rows of a list by the time in one of their columns: what changed since a cursor."""

    walk: Walk
    column: str = "updated_at"

    @property
    def cursor(self) -> str:
        """The name the cursor is kept under."""
        return f"{self.walk.path}.{self.column}"

    @property
    def vital(self) -> bool:
        """The other columns matter only where a change does not move `updated_at`."""
        return self.walk.vital and self.column == "updated_at"

    def between(self, since: datetime, until: datetime | None = None) -> tuple[str, ...]:
        """The conditions for rows from `since` on, and before `until`."""
        others = (wildcard for wildcard in self.walk.wildcards if not wildcard.startswith(f"{self.column}:"))
        end = (f"{self.column}:<{_utc(until)}",) if until else ()
        return (*others, f"{self.column}:>={_utc(since)}", *end)


PATIENTS = Kind("patients", mapping.patient, PatientsSynced, counted="patients_landed", removed_as="patients")
APPOINTMENTS = Kind(
    "appointments", mapping.appointment, AppointmentsSynced, counted="appointments_landed", removed_as="appointments"
)
ATTENDEES = Kind("attendees", attended, AppointmentsSynced, counted="appointments_landed", removed_as="appointments")
"""Their appointments in groups, kept apart: the id of an attendee may be that of an individual appointment."""
APPOINTMENT_TYPES = Kind("appointment_types", mapping.appointment_type, AppointmentTypesSynced)
PRACTITIONERS = Kind("practitioners", mapping.practitioner, PractitionersSynced)
KINDS = (APPOINTMENT_TYPES, PRACTITIONERS, PATIENTS, APPOINTMENTS, ATTENDEES)

REFERENCE_WALKS = (
    Walk(APPOINTMENT_TYPES, "appointment_types", ("archived_at:*",), vital=False),
    Walk(PRACTITIONERS, "practitioners", vital=False),
    Walk(PRACTITIONERS, "practitioners/inactive", vital=False),
)
PATIENT_WALK = Walk(PATIENTS, "patients", ("archived_at:*",))
EVERY_STATE = ("archived_at:*", "cancelled_at:*", "deleted_at:*")
APPOINTMENT_WALK = Walk(APPOINTMENTS, "individual_appointments", EVERY_STATE)
ATTENDEE_WALK = Walk(ATTENDEES, "attendees", EVERY_STATE, vital=False)
GROUP_WALK = Walk(
    ATTENDEES, "group_appointments", ("archived_at:*", "deleted_at:*"), vital=False, leads_to=ATTENDEE_WALK
)
SWEPT = (PATIENT_WALK, APPOINTMENT_WALK, GROUP_WALK)
"""Lists whose records are removed here once Cliniko has them no more."""
ATTENDEES_CHANGED = Stream(ATTENDEE_WALK)
"""Each attendee of an individual appointment too; worth reading only for a clinic that has groups."""
HEALED = (*(Stream(walk) for walk in SWEPT), ATTENDEES_CHANGED)
"""What may have changed while it was walked."""
STREAMS = (
    *HEALED,
    Stream(PATIENT_WALK, "archived_at"),
    *(Stream(APPOINTMENT_WALK, column) for column in ("cancelled_at", "archived_at", "deleted_at")),
)


def appointment_walks(mode: SyncMode, started_at: datetime) -> tuple[Walk, ...]:
    """All appointments; for `basic` those from 30 days before the run onward; none for `patients-only`."""
    if mode == "patients-only":
        return ()
    walks = (APPOINTMENT_WALK, GROUP_WALK)
    if mode == "basic":
        since = f"starts_at:>={_utc(started_at - BASIC_REACH)}"
        return tuple(replace(walk, since=since) for walk in walks)
    return walks


def cursors_after(walks: Sequence[Walk]) -> dict[str, str]:
    """The cursors that may move when these walks have been read whole, each with the path that says how far.

    Attendees are read with their groups, of which there may be none: as far as individual appointments reach.
    """
    whole = {walk.path for walk in walks if walk.since is None}
    reach = {path: path for path in whole}
    if {GROUP_WALK.path, APPOINTMENT_WALK.path} <= whole:
        reach[ATTENDEE_WALK.path] = APPOINTMENT_WALK.path
    return {stream.cursor: reach[stream.walk.path] for stream in STREAMS if stream.walk.path in reach}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
