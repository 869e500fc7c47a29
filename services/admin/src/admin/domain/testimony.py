"""What is put on record of each event, and of what operators do here."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from admin.domain.audit import Details, Entry, Kind
from admin.domain.dead_letters import DeadLetter
from admin.domain.inquiry import Inquiry
from chassis.identity import Caller
from contracts.events import ConnectionChanged, PatientErased, PatientRecordsRead, SyncRunChanged

_RUNS = UUID("6f3b2f0e-52a7-4f0e-8f0b-3f6f5c1d9a41")
ENDED = ("completed", "failed", "cancelled")


def of_read(event: PatientRecordsRead) -> Entry:
    """Who was shown whose records, at which address."""
    return Entry(
        entry_id=event.event_id,
        kind="records.read",
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        user_id=event.user_id,
        role=event.role,
        impersonator=event.impersonator,
        patient_ids=event.patient_ids,
        details={"route": event.route, "patient_count": event.patient_count},
    )


def of_erasure(event: PatientErased) -> Entry:
    """Which administrator had whom erased."""
    return Entry(
        entry_id=event.event_id,
        kind="patient.erased",
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        user_id=event.user_id,
        role="admin",
        impersonator=event.impersonator,
        patient_ids=(event.patient_id,),
        details={"cliniko_patient_id": event.cliniko_patient_id},
    )


def of_connection(event: ConnectionChanged) -> Entry:
    """How the connection to Cliniko stands since."""
    return Entry(
        entry_id=event.event_id,
        kind="connection.changed",
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        details={
            "connected": event.connected,
            "credentials_valid": event.credentials_valid,
            "region": event.region,
            "revision": event.revision,
        },
    )


def of_run(event: SyncRunChanged) -> tuple[Entry, ...]:
    """That the run started, which every state of it tells, and that it ended, which the last ones do."""
    started = Entry(
        entry_id=uuid5(_RUNS, f"{event.sync_id} started"),
        kind="sync.started",
        occurred_at=event.started_at,
        request_id=event.request_id,
        details={"sync_id": event.sync_id, "mode": event.mode},
    )
    return (started, _end_of(event)) if event.status in ENDED else (started,)


def _end_of(event: SyncRunChanged) -> Entry:
    return Entry(
        entry_id=uuid5(_RUNS, f"{event.sync_id} ended"),
        kind="sync.ended",
        occurred_at=event.completed_at or event.occurred_at,
        request_id=event.request_id,
        details={
            "sync_id": event.sync_id,
            "status": event.status,
            "records_success": event.records_success,
            "records_failed": event.records_failed,
        },
    )


def of_look(inquiry: Inquiry, caller: Caller, now: datetime) -> Entry:
    """An operator looked into the trail itself; who asks of a patient leaves a mark on that patient's."""
    patient_ids = (inquiry.patient_id,) if inquiry.patient_id else ()
    return _of_operator("audit.read", inquiry.given(), caller, now, patient_ids)


def of_removal(removed: int, caller: Caller, now: datetime) -> Entry:
    """The oldest entries of this chain went."""
    return _of_operator("audit.removed", {"removed": removed}, caller, now)


def of_cleanup(days_old: int, removed: int, kept: int, caller: Caller, now: datetime) -> Entry:
    """An operator had all chains cleaned; said in the operators' own."""
    return _of_operator("audit.cleaned", {"days_old": days_old, "removed": removed, "kept": kept}, caller, now)


def of_letter(kind: Kind, letter: DeadLetter, details: Details, caller: Caller, now: datetime) -> Entry:
    """An operator sent a message on its way again, or dropped it."""
    told = {"letter_id": str(letter.letter_id), "queue": letter.queue, "failed_for": letter.reason}
    return _of_operator(kind, {**told, **details}, caller, now)


def of_letters(kind: Kind, letters: Sequence[DeadLetter], details: Details, caller: Caller, now: datetime) -> Entry:
    """How many an operator did so to at once, all of one queue."""
    return _of_operator(kind, {"letters": len(letters), "queue": letters[0].queue, **details}, caller, now)


def _of_operator(
    kind: Kind, details: Details, caller: Caller, now: datetime, patient_ids: tuple[UUID, ...] = ()
) -> Entry:
    return Entry(
        entry_id=uuid4(),
        kind=kind,
        occurred_at=now,
        request_id=caller.request_id or None,
        user_id=caller.user_id,
        role="operator",
        impersonator=caller.impersonator,
        patient_ids=patient_ids,
        details=details,
    )
