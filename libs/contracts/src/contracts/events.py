"""The events themselves. Within a version only optional fields are added; a test compares with `schemas/`."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import ClinikoId, Event, Instant, OrganizationId
from contracts.records import AppointmentRecord, AppointmentTypeRecord, PatientRecord, PractitionerRecord, Removal

SyncMode = Literal["comprehensive", "basic", "patients-only", "incremental"]
RunStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
Role = Literal["admin", "member"]
RefusalReason = Literal["no_organization", "other_organization", "operators_only", "role"]


class Batch(Event):
    """An event the sync service waits for: each consumer answers with `BatchApplied` once it is committed.

    `sync_id` is None when records are sent again outside a run, and `addressed_to` then may name the one consumer
    that is to be rebuilt.
    """

    sync_id: str | None
    addressed_to: str | None = None


class PatientsSynced(Batch):
    """One landed page of new or changed patients."""

    topic: ClassVar[str] = "patients.synced"

    records: tuple[PatientRecord, ...]


class AppointmentsSynced(Batch):
    """One landed page of new or changed appointments."""

    topic: ClassVar[str] = "appointments.synced"

    records: tuple[AppointmentRecord, ...]


class AppointmentTypesSynced(Batch):
    """New or changed appointment types."""

    topic: ClassVar[str] = "appointment-types.synced"

    records: tuple[AppointmentTypeRecord, ...]


class PractitionersSynced(Batch):
    """New or changed practitioners."""

    topic: ClassVar[str] = "practitioners.synced"

    records: tuple[PractitionerRecord, ...]


class RecordsRemoved(Batch):
    """Records that Cliniko has no more. The names of types and practitioners stay, for other records show them."""

    topic: ClassVar[str] = "records.removed"

    patients: tuple[Removal, ...] = ()
    appointments: tuple[Removal, ...] = ()


class SyncRunChanged(Batch):
    """A sync run has reached a new state. Of two states of a run the one with the higher `revision` is newer."""

    topic: ClassVar[str] = "run.changed"

    sync_id: str
    revision: int
    mode: SyncMode
    status: RunStatus
    full_sweep: bool
    """True when the run looked at every record of the clinic."""
    started_at: Instant
    completed_at: Instant | None = None
    records_processed: int = 0
    records_success: int = 0
    records_failed: int = 0
    patients_processed: int = 0
    appointments_processed: int = 0
    patients_reported: int | None = None
    """How many patients that are not archived Cliniko counts; None while the run has not asked."""
    user_id: str | None = None
    """Of who started it; None: the schedule."""
    role: Role | None = None
    impersonator: str | None = None
    """The user id of who acted in this person's name."""
    cancelled_by: str | None = None
    """The user id of who ended it."""
    cancelled_by_impersonator: str | None = None


class ConnectionChanged(Event):
    """An organization's Cliniko connection was made, ended, or answered differently than before."""

    topic: ClassVar[str] = "connection.changed"

    revision: int
    connected: bool
    credentials_valid: bool
    region: str | None = None
    user_id: str | None = None
    """Of who connected or disconnected it; None: Cliniko answers differently, or the organization is gone."""
    role: Role | None = None
    impersonator: str | None = None
    """The user id of who acted in this person's name."""


class ScheduleChanged(Event):
    """An administrator has paused a clinic's schedule, or resumed it."""

    topic: ClassVar[str] = "schedule.changed"

    enabled: bool
    user_id: str
    role: Role
    impersonator: str | None = None
    """The user id of who acted in this person's name."""


class OrganizationDeleted(Event):
    """There is no such organization any more, says Clerk, where its people sign in. It may be said again."""

    topic: ClassVar[str] = "organization.deleted"


class CleanupRequested(Event):
    """An operator wants what is old to go: of this organization, sync logs older than `days_old`."""

    topic: ClassVar[str] = "cleanup.requested"

    days_old: int = Field(ge=1)
    """Counted back from `occurred_at`."""
    user_id: str
    impersonator: str | None = None
    """The user id of who acted in this person's name."""


class SyncLogsRemoved(Event):
    """What a `CleanupRequested` has removed, if anything; its request and operator are named again."""

    topic: ClassVar[str] = "logs.removed"

    removed: int
    days_old: int
    user_id: str
    impersonator: str | None = None
    """The user id of who acted in this person's name."""


class BatchApplied(Event):
    """A consumer has committed what the batch with that `event_id` says."""

    topic: ClassVar[str] = "batch.applied"

    consumer: str
    batch_id: UUID
    sync_id: str
    also: tuple[UUID, ...] = ()
    """Further batches of the run that were committed with it."""


class FiguresCounted(Event):
    """A clinic's size as analytics counts it, after each change of its runs."""

    topic: ClassVar[str] = "figures.counted"

    total_patients: int
    active_patients: int


class PatientRecordsRead(Event):
    """A person was shown records of these patients. It is committed before they are sent; a long export says so often.

    Whoever reads counts, and whom they read: not what they looked for, which may be a name.
    """

    topic: ClassVar[str] = "records.read"

    user_id: str
    role: Role
    impersonator: str | None = None
    """The user id of who acted in this person's name."""
    route: str
    """The template of the address."""
    patient_count: int
    patient_ids: tuple[UUID, ...] = Field(max_length=1000)
    """As the lists name them; at most a page, so that no message exceeds 100 KB."""


class PatientErased(Event):
    """A clinic has had a patient erased, for good: whatever Cliniko says of them later is kept out."""

    topic: ClassVar[str] = "patient.erased"

    patient_id: UUID
    cliniko_patient_id: ClinikoId
    user_id: str
    """Of the administrator who wanted it."""
    impersonator: str | None = None
    """The user id of who acted in this person's name."""


class AccessRefused(Event):
    """A person who is known was turned away, `count` times in the same way within a few seconds.

    Announced without an outbox: what the broker has not confirmed when the gateway's process dies is lost.
    """

    topic: ClassVar[str] = "access.refused"

    wanted_organization_id: OrganizationId
    """Whose door it was: whatever the person named, and nobody may know it. `organization_id` is the session's, or the
    platform's for a session without one."""
    reason: RefusalReason
    """`role`: a service said so to a member. The others are the gateway's own words."""
    user_id: str
    role: Role | None = None
    """In that organization; None: not a member of it."""
    impersonator: str | None = None
    """The user id of who acted in this person's name."""
    method: str
    route: str
    """The template of the address; `several` when one person was turned away at too many."""
    count: int
    last_at: Instant
    """The first time is `occurred_at`, and the `request_id` is of that one."""


class RedriveSettled(Event):
    """A dead letter that was sent on its way again has come to an end; of the operators' organization who sent it."""

    topic: ClassVar[str] = "redrive.settled"

    letter_id: UUID
    """As the redrive named it, not its own event's id."""
    queue: str
    outcome: Literal["applied", "dead"]
    reason: str | None = None
    """The kind of error it is a dead letter again for."""
