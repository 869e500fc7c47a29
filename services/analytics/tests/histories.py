"""Any history of a clinic, and what of it is still so at its end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from hypothesis import strategies as st

from contracts.base import Event
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    ConnectionChanged,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)
from contracts.records import (
    AppointmentRecord,
    AppointmentTypeRecord,
    PatientRecord,
    PractitionerRecord,
    Record,
    Removal,
)

R = TypeVar("R", bound=Record)

NOW = datetime(2025, 6, 30, 12, tzinfo=UTC)
TICK, DAY = timedelta(microseconds=1), timedelta(days=1)
EDGES = (NOW, NOW - TICK, NOW + TICK, NOW - 30 * DAY, NOW - 30 * DAY - TICK, NOW - 30 * DAY + TICK)
CLINICS = count()
"""Numbers for a new clinic per example: the database outlives them."""

MIDNIGHT = NOW.replace(hour=0)
moments = st.one_of(
    st.sampled_from([*EDGES, NOW - 200 * DAY, NOW - 3 * DAY, NOW + 3 * DAY]),
    st.builds(lambda days, tick: MIDNIGHT - days * DAY - tick, st.integers(-3, 800), st.sampled_from([TICK, 0 * TICK])),
)
marks = st.sampled_from([None, None, None, NOW])
versions = {"created_at": moments, "updated_at": st.sampled_from([NOW - n * DAY for n in range(3)])}
patient_states = st.fixed_dictionaries(
    {**versions, "cliniko_patient_id": st.sampled_from("12345"), "archived_at": marks, "merged_at": marks}
)
appointment_states = st.fixed_dictionaries(
    {
        **versions,
        "cliniko_appointment_id": st.sampled_from("12345678"),
        "cliniko_patient_id": st.sampled_from("123456"),
        "starts_at": moments,
        "appointment_type_id": st.sampled_from([None, "7", "8"]),
        "practitioner_id": st.sampled_from([None, "3", "4"]),
        "patient_arrived": st.booleans(),
        "did_not_arrive": st.booleans(),
        "cancelled_at": st.one_of(st.none(), st.none(), moments),
        "deleted_at": marks,
    }
)
name_states = st.fixed_dictionaries(
    {**versions, "id": st.sampled_from("3478"), "name": st.sampled_from(["", "A", "B"])}
)
run_states = st.fixed_dictionaries(
    {
        "number": st.integers(0, 3),
        "status": st.sampled_from(["queued", "running", "completed", "failed", "cancelled"]),
        "mode": st.sampled_from(["comprehensive", "basic", "patients-only", "incremental"]),
        "records_processed": st.integers(0, 900),
        "records_success": st.integers(0, 900),
        "records_failed": st.integers(0, 900),
        "patients_reported": st.one_of(st.none(), st.integers(0, 6)),
    }
)
connection_states = st.fixed_dictionaries({"connected": st.booleans(), "credentials_valid": st.booleans()})


@dataclass(frozen=True)
class History:
    """Everything a clinic's services ever announced, in the order in which it happened."""

    organization_id: str
    patients: list[PatientRecord]
    appointments: list[AppointmentRecord]
    removals: list[RecordsRemoved]
    runs: list[SyncRunChanged]
    connections: list[ConnectionChanged]
    types: list[AppointmentTypeRecord]
    practitioners: list[PractitionerRecord]

    def events(self, page: int) -> list[Event]:
        batch = {"organization_id": self.organization_id, "sync_id": None}
        return [
            *(PatientsSynced.model_validate({**batch, "records": cut}) for cut in _pages(self.patients, page)),
            *(AppointmentsSynced.model_validate({**batch, "records": cut}) for cut in _pages(self.appointments, page)),
            *self.removals,
            *self.runs,
            *self.connections,
            *(AppointmentTypesSynced.model_validate({**batch, "records": cut}) for cut in _pages(self.types, page)),
            *(
                PractitionersSynced.model_validate({**batch, "records": cut})
                for cut in _pages(self.practitioners, page)
            ),
        ]


def _pages(records: list[R], size: int) -> Iterable[list[R]]:
    return (records[start : start + size] for start in range(0, len(records), size))


@st.composite
def histories(draw: st.DrawFn) -> History:
    clinic = {"organization_id": f"org_{next(CLINICS)}"}
    patients = draw(st.lists(patient_states, max_size=12))
    appointments = draw(st.lists(appointment_states, max_size=25))
    removals = draw(st.lists(st.tuples(st.integers(0, 25), st.sampled_from("12345")), max_size=4))
    runs = draw(st.lists(run_states, max_size=6))
    connections = draw(st.lists(connection_states, max_size=3))
    types, practitioners = (draw(st.lists(name_states, max_size=4)) for _ in range(2))
    return History(
        clinic["organization_id"],
        [PatientRecord.model_validate({**state, "sequence": 2 * n}) for n, state in enumerate(patients)],
        [AppointmentRecord.model_validate({**state, "sequence": 2 * n}) for n, state in enumerate(appointments)],
        [_removal(clinic, at, identity) for at, identity in removals],
        [_run(clinic, revision, state) for revision, state in enumerate(runs)],
        [ConnectionChanged.model_validate({**clinic, **s, "revision": n}) for n, s in enumerate(connections)],
        [_named(AppointmentTypeRecord, "appointment_type_id", n, state) for n, state in enumerate(types)],
        [_named(PractitionerRecord, "practitioner_id", n, state) for n, state in enumerate(practitioners)],
    )


def _named(kind: type[R], key: str, number: int, state: dict[str, Any]) -> R:
    return kind.model_validate({**state, key: state["id"], "sequence": number})


def _removal(clinic: dict[str, str], at: int, identity: str) -> RecordsRemoved:
    """Between two states: the states have even sequences."""
    gone = (Removal(cliniko_id=identity, sequence=2 * at + 1),)
    return RecordsRemoved.model_validate({**clinic, "sync_id": None, "patients": gone, "appointments": gone})


def _run(clinic: dict[str, str], revision: int, state: dict[str, Any]) -> SyncRunChanged:
    started = NOW - state["number"] * timedelta(minutes=61)
    ended = state["status"] in {"completed", "failed", "cancelled"}
    times = {"started_at": started, "completed_at": started + timedelta(minutes=6.25) if ended else None}
    ids = {"sync_id": f"sync_{state['number']}", "revision": revision, "full_sweep": True}
    return SyncRunChanged.model_validate({**clinic, **ids, **times, **state})


def again(event: Event) -> Event:
    """The same content under a new id: what a full sweep may send anew, past the inbox."""
    fresh = event.model_dump()
    del fresh["event_id"]
    return type(event).model_validate(fresh)


def newest(records: list[R], identity: str, removals: list[RecordsRemoved]) -> list[R]:
    """The state of each id with the highest sequence, where that is no removal."""
    last = {getattr(state, identity): state for state in sorted(records, key=lambda state: state.sequence)}
    gone = {(one.cliniko_id, one.sequence) for event in removals for one in event.patients}
    return [state for key, state in last.items() if not any(name == key and at > state.sequence for name, at in gone)]


def names(records: Iterable[AppointmentTypeRecord | PractitionerRecord]) -> dict[str, str]:
    """The newest name of each id."""
    return {_id(one): one.name for one in sorted(records, key=_sequence)}


def _id(one: AppointmentTypeRecord | PractitionerRecord) -> str:
    return one.appointment_type_id if isinstance(one, AppointmentTypeRecord) else one.practitioner_id


def _sequence(one: Record) -> int:
    return one.sequence


def last_states(history: History) -> list[SyncRunChanged]:
    """Runs in their last state, the one started last first."""
    last = {run.sync_id: run for run in history.runs}
    return sorted(last.values(), key=lambda run: run.started_at, reverse=True)


def listed(history: History) -> list[PatientRecord]:
    """Patients the clinic still has."""
    return [
        patient
        for patient in newest(history.patients, "cliniko_patient_id", history.removals)
        if not (patient.archived_at or patient.deleted_at or patient.merged_at)
    ]


def remaining(history: History) -> list[AppointmentRecord]:
    """Appointments that are neither archived nor deleted."""
    return [
        appointment
        for appointment in newest(history.appointments, "cliniko_appointment_id", history.removals)
        if not (appointment.archived_at or appointment.deleted_at)
    ]
