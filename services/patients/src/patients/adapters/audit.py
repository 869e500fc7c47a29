"""Reads are announced in the transaction that reads, and so are on record before anything read can leave."""

from collections.abc import Sequence
from uuid import UUID

from chassis.outbox import announce
from contracts.events import PatientErased, PatientRecordsRead
from patients.adapters.tenant import Tenant
from patients.domain.patient import patient_id
from patients.domain.reader import Reader


async def note(tenant: Tenant, reader: Reader, patients: Sequence[UUID]) -> None:
    """`reader` is about to be sent the records of these; of nobody's, nothing is announced."""
    if not patients:
        return
    read = PatientRecordsRead(
        organization_id=tenant.organization_id,
        request_id=reader.request_id,
        user_id=reader.user_id,
        role=reader.role,
        impersonator=reader.impersonator,
        route=reader.route,
        patient_count=len(patients),
        patient_ids=tuple(patients),
    )
    await announce(tenant.connection, "patients", [read])


async def note_erasure(tenant: Tenant, reader: Reader, cliniko_patient_id: str) -> None:
    """`reader` has erased this patient here; the other services are to do the same."""
    erased = PatientErased(
        organization_id=tenant.organization_id,
        request_id=reader.request_id,
        patient_id=patient_id(tenant.organization_id, cliniko_patient_id),
        cliniko_patient_id=cliniko_patient_id,
        user_id=reader.user_id,
        impersonator=reader.impersonator,
    )
    await announce(tenant.connection, "patients", [erased])
