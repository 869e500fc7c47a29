"""What is put on record of each event, and of what operators do here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4, uuid5

from admin.domain.audit import Details, Entry, Kind
from admin.domain.dead_letters import DeadLetter
from admin.domain.inquiry import Inquiry
from chassis.identity import Caller
from contracts.events import (
    AccessRefused,
    ConnectionChanged,
    PatientErased,
    PatientRecordsRead,
    ScheduleChanged,
    SyncLogsRemoved,
    SyncRunChanged,
)
from contracts.timestamps import iso

_MESSAGES = UUID("0d3c1f62-7a0e-4b53-9c7e-0a5a4a1f8b17")
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
    """How the connection to Cliniko stands since, and whose doing that is."""
    return Entry(
        entry_id=event.event_id,
        kind="connection.changed",
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        user_id=event.user_id,
        role=event.role,
        impersonator=event.impersonator,
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
        user_id=event.user_id,
        role=event.role,
        impersonator=event.impersonator,
        details={"sync_id": event.sync_id, "mode": event.mode},
    )
    return (started, _end_of(event)) if event.status in ENDED else (started,)


def _end_of(event: SyncRunChanged) -> Entry:
    return Entry(
        entry_id=uuid5(_RUNS, f"{event.sync_id} ended"),
        kind="sync.ended",
        occurred_at=event.completed_at or event.occurred_at,
        request_id=event.request_id,
        user_id=event.cancelled_by,
        impersonator=event.cancelled_by_impersonator,
        details={
            "sync_id": event.sync_id,
            "status": event.status,
            "records_success": event.records_success,
            "records_failed": event.records_failed,
        },
    )


def of_schedule(event: ScheduleChanged) -> Entry:
    """Which administrator paused it, or resumed it."""
    return Entry(
        entry_id=event.event_id,
        kind="schedule.changed",
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        user_id=event.user_id,
        role=event.role,
        impersonator=event.impersonator,
        details={"enabled": event.enabled},
    )


def of_removed_logs(event: SyncLogsRemoved) -> Entry:
    """How many sync logs went, and which operator wanted it."""
    return Entry(
        entry_id=event.event_id,
        kind="logs.removed",
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        user_id=event.user_id,
        role="operator",
        impersonator=event.impersonator,
        details={"removed": event.removed, "days_old": event.days_old},
    )


def of_refusal(event: AccessRefused) -> Entry:
    """Who was turned away how often, in the chain of the organization they wanted or else of their own."""
    return Entry(
        entry_id=event.event_id,
        kind="access.refused",
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        user_id=event.user_id,
        role=event.role,
        impersonator=event.impersonator,
        details={
            "reason": event.reason,
            "method": event.method,
            "route": event.route,
            "count": event.count,
            "last_at": iso(event.last_at),
            "organization_id": event.organization_id,
            "wanted_organization_id": event.wanted_organization_id,
        },
    )


def of_organization(
    kind: Literal["organization.created", "organization.deleted"], message_id: str, at: datetime
) -> Entry:
    """That Clerk says so, in which message."""
    return Entry(
        entry_id=message_uuid(message_id), kind=kind, occurred_at=at, details={"source": "clerk", "message": message_id}
    )


def message_uuid(message_id: str) -> UUID:
    """The same for every delivery of one of Clerk's messages."""
    return uuid5(_MESSAGES, message_id)


def of_look(inquiry: Inquiry, caller: Caller, now: datetime) -> Entry:
    """An operator looked into the trail itself; who asks of a patient leaves a mark on that patient's."""
    patient_ids = (inquiry.patient_id,) if inquiry.patient_id else ()
    return of_operator("audit.read", inquiry.given(), caller, now, patient_ids)


def of_removal(removed: int, caller: Caller, now: datetime) -> Entry:
    """The oldest entries of this chain went."""
    return of_operator("audit.removed", {"removed": removed}, caller, now)


def of_letter(kind: Kind, letter: DeadLetter, details: Details, caller: Caller, now: datetime) -> Entry:
    """An operator sent a message on its way again, or dropped it."""
    told = {"letter_id": str(letter.letter_id), "queue": letter.queue, "failed_for": letter.reason}
    return of_operator(kind, {**told, **details}, caller, now)


def of_letters(kind: Kind, letters: Sequence[DeadLetter], details: Details, caller: Caller, now: datetime) -> Entry:
    """How many an operator did so to at once, all of one queue."""
    return of_operator(kind, {"letters": len(letters), "queue": letters[0].queue, **details}, caller, now)


def of_operator(
    kind: Kind, details: Details, caller: Caller, now: datetime, patient_ids: tuple[UUID, ...] = ()
) -> Entry:
    """What an operator did; `details` hold ids, counts and states only."""
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
