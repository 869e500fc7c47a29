"""What the service does: one function per use case."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from uuid import UUID

from chassis.database import Database
from chassis.errors import NotFound
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)
from contracts.records import Removal
from patients.adapters import audit, documents, dossier, lists, records, removals, runs, summaries, tidying
from patients.adapters.snapshots import snapshot
from patients.adapters.tenant import Tenant
from patients.domain.listing import Listed, Listing, Page, Version
from patients.domain.patient import Patient
from patients.domain.reader import Reader
from patients.domain.summaries import ActiveSummary, TypesSummary
from patients.domain.versions import newest_of_each
from patients.domain.wording import storable, unless_blank

EXPORT_PIECE = 500
"""Patients read, put on record and sent at a time."""
NO_SUCH_PATIENT = "No such patient."


async def record_patients(events: Sequence[PatientsSynced], tenant: Tenant) -> None:
    """Keep pages of patients."""
    states = [
        Patient.of(tenant.organization_id, record, record.landed_at or event.occurred_at)
        for event in events
        for record in event.records
    ]
    page = newest_of_each(states, lambda state: state.cliniko_patient_id)
    await documents.share(tenant)
    await documents.mark(tenant, await records.upsert_patients(tenant, page))


async def record_appointments(events: Sequence[AppointmentsSynced], tenant: Tenant) -> None:
    """Keep pages of appointments; one that has become an erased patient's is let go of, whoever had it before."""
    states = (record for event in events for record in event.records)
    newest = newest_of_each(states, lambda record: record.cliniko_appointment_id)
    page = [record.model_copy(update={"notes": unless_blank(record.notes)}) for record in newest]
    erased = await dossier.erased(tenant, (record.cliniko_patient_id for record in page))
    gone = [
        Removal(cliniko_id=record.cliniko_appointment_id, sequence=record.sequence)
        for record in page
        if record.cliniko_patient_id in erased
    ]
    await (documents.claim(tenant) if gone else documents.share(tenant))
    losers = await removals.remove_appointments(tenant, gone) if gone else []
    await documents.mark(tenant, sorted({*await records.upsert_appointments(tenant, page), *losers}))


async def record_appointment_types(event: AppointmentTypesSynced, tenant: Tenant) -> None:
    """Keep the names of appointment types."""
    newest = newest_of_each(event.records, lambda record: record.appointment_type_id)
    page = [record.model_copy(update={"name": storable(record.name)}) for record in newest]
    await documents.claim(tenant)
    await documents.mark_named(tenant, types=await records.upsert_appointment_types(tenant, page))


async def record_practitioners(event: PractitionersSynced, tenant: Tenant) -> None:
    """Keep the names of practitioners."""
    newest = newest_of_each(event.records, lambda record: record.practitioner_id)
    page = [record.model_copy(update={"name": storable(record.name)}) for record in newest]
    await documents.claim(tenant)
    await documents.mark_named(tenant, practitioners=await records.upsert_practitioners(tenant, page))


async def remove_records(event: RecordsRemoved, tenant: Tenant, now: datetime) -> None:
    """Let go of what Cliniko no longer has, in the documents too; what is newer here than its removal stays."""
    await documents.claim(tenant)
    gone = await removals.remove_patients(tenant, event.patients)
    losers = await removals.remove_appointments(tenant, event.appointments)
    await documents.remake(tenant, [*gone, *losers], now)


async def record_run(event: SyncRunChanged, tenant: Tenant, now: datetime) -> None:
    """Keep when the clinic was last read, and last read as a whole; who reads after it finds all documents made."""
    if event.status == "completed" and event.completed_at is not None:
        await documents.refresh(tenant, now)
        await runs.note_completed_run(tenant, event.completed_at, full_sweep=event.full_sweep)


async def examine(tenant: Tenant, now: datetime) -> Version:
    """Make every document true at `now`; what is read afterwards is of this version."""
    untrue, version = await summaries.state(tenant, now)
    if untrue:
        await documents.refresh(tenant, now)
        _, version = await summaries.state(tenant, now)
    return version


async def list_patients(
    listing: Listing, tenant: Tenant, reader: Reader, now: datetime, *, examined: bool = False
) -> Page:
    """A page of the list, and on record who was shown it; who has just examined it is shown what was found then."""
    untrue, page = await lists.page(tenant, listing, now)
    if untrue and not examined:
        await documents.refresh(tenant, now)
        _, page = await lists.page(tenant, listing, now)
    await audit.note(tenant, reader, [one.patient_id for one in page.patients])
    return page


async def export_patients(
    listing: Listing, organization_id: str, database: Database, reader: Reader
) -> AsyncGenerator[list[Listed], None]:
    """All that match, as they are at one moment, a piece at a time; each is on record before it is handed out."""
    async with snapshot(database, organization_id) as state:
        after, more = None, True
        while more:
            async with state.transaction() as tenant:
                patients, after = await lists.stretch(tenant, listing, after, EXPORT_PIECE)
                await audit.note(tenant, reader, [one.patient_id for one in patients])
            yield patients
            more = after is not None


async def summarize_active_patients(tenant: Tenant) -> ActiveSummary:
    """How many patients are active, and how much so."""
    return await summaries.active_summary(tenant)


async def summarize_appointment_types(tenant: Tenant) -> list[TypesSummary]:
    """Active patients by their next and their primary type of appointment, the largest group first."""
    return await summaries.types_summary(tenant)


async def export_patient(patient_id: UUID, tenant: Tenant, reader: Reader) -> str:
    """Everything that is kept of a patient, as JSON text, and on record who was shown it. Raises NotFound."""
    kept = await dossier.everything(tenant, patient_id)
    if kept is None:
        raise NotFound(NO_SUCH_PATIENT)
    await audit.note(tenant, reader, [patient_id])
    return kept


async def erase_patient(patient_id: UUID, tenant: Tenant, reader: Reader, now: datetime) -> None:
    """Let go of everything that is kept of a patient, for good, and have the other services do so. Raises NotFound."""
    await documents.claim(tenant)
    cliniko_patient_id = await dossier.find(tenant, patient_id)
    if cliniko_patient_id is None:
        raise NotFound(NO_SUCH_PATIENT)
    await _erase(cliniko_patient_id, tenant, reader, now)


async def erase_again(cliniko_patient_id: str, tenant: Tenant, reader: Reader, now: datetime) -> None:
    """The same for who was erased before, and may not be known here: a backup that was restored did not know of it."""
    await documents.claim(tenant)
    await _erase(cliniko_patient_id, tenant, reader, now)


async def _erase(cliniko_patient_id: str, tenant: Tenant, reader: Reader, now: datetime) -> None:
    await dossier.erase(tenant, cliniko_patient_id, now)
    await documents.remake(tenant, [cliniko_patient_id], now)
    await dossier.erase_traces(tenant, cliniko_patient_id)
    await audit.note_erasure(tenant, reader, cliniko_patient_id)


async def tidy(database: Database) -> None:
    """Let go of what no reader goes by any more."""
    await tidying.tidy(database)
