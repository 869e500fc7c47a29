"""What the service does: one function per use case."""

from collections.abc import Sequence
from datetime import datetime

from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)
from patients.adapters import documents, lists, records, removals, runs
from patients.adapters.tenant import Tenant
from patients.domain.listing import Listing, Page
from patients.domain.patient import Patient
from patients.domain.summaries import ActiveSummary, TypesSummary
from patients.domain.versions import newest_of_each
from patients.domain.wording import storable, unless_blank


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
    """Keep pages of appointments."""
    states = (record for event in events for record in event.records)
    newest = newest_of_each(states, lambda record: record.cliniko_appointment_id)
    page = [record.model_copy(update={"notes": unless_blank(record.notes)}) for record in newest]
    await documents.share(tenant)
    await documents.mark(tenant, await records.upsert_appointments(tenant, page))


async def record_appointment_types(event: AppointmentTypesSynced, tenant: Tenant) -> None:
    """Keep the names of appointment types."""
    newest = newest_of_each(event.records, lambda record: record.appointment_type_id)
    page = [record.model_copy(update={"name": storable(record.name)}) for record in newest]
    await documents.mark_named(tenant, types=await records.upsert_appointment_types(tenant, page))


async def record_practitioners(event: PractitionersSynced, tenant: Tenant) -> None:
    """Keep the names of practitioners."""
    newest = newest_of_each(event.records, lambda record: record.practitioner_id)
    page = [record.model_copy(update={"name": storable(record.name)}) for record in newest]
    await documents.mark_named(tenant, practitioners=await records.upsert_practitioners(tenant, page))


async def remove_records(event: RecordsRemoved, tenant: Tenant, now: datetime) -> None:
    """Let go of what Cliniko no longer has, in the documents too; what is newer here than its removal stays."""
    await documents.claim(tenant)
    gone = await removals.remove_patients(tenant, event.patients)
    losers = await removals.remove_appointments(tenant, event.appointments)
    await documents.mark(tenant, sorted({*gone, *losers}))
    await documents.refresh(tenant, now)


async def record_run(event: SyncRunChanged, tenant: Tenant, now: datetime) -> None:
    """Keep when the clinic was last read, and last read as a whole; who reads after it finds all documents made."""
    if event.status == "completed" and event.completed_at is not None:
        await documents.refresh(tenant, now)
        await runs.note_completed_run(tenant, event.completed_at, full_sweep=event.full_sweep)


async def list_patients(listing: Listing, tenant: Tenant, now: datetime) -> Page:
    """A page of the list, true at `now`."""
    await documents.refresh(tenant, now)
    return await lists.page(tenant, listing)


async def summarize_active_patients(tenant: Tenant, now: datetime) -> ActiveSummary:
    """How many patients are active, and how much so, at `now`."""
    await documents.refresh(tenant, now)
    return await lists.active_summary(tenant)


async def summarize_appointment_types(tenant: Tenant, now: datetime) -> list[TypesSummary]:
    """Active patients by their next and their primary type of appointment at `now`, the largest group first."""
    await documents.refresh(tenant, now)
    return await lists.types_summary(tenant)
