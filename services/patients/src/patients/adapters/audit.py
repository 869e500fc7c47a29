"""Reads are announced in the transaction that reads, and so are on record before anything read can leave."""

from collections.abc import Sequence

from chassis.outbox import announce
from contracts.events import PatientRecordsRead
from patients.adapters.tenant import Tenant
from patients.domain.listing import Listed
from patients.domain.reader import Reader


async def note(tenant: Tenant, reader: Reader, patients: Sequence[Listed]) -> None:
    """`reader` is about to be sent these; of nobody's records, nothing is announced."""
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
        patient_ids=tuple(patient.patient_id for patient in patients),
    )
    await announce(tenant.connection, "patients", [read])
