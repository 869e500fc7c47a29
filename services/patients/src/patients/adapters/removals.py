"""Records that are gone. A removal is remembered, for older states of the record may still be on their way.

Whoever removes must be alone with the organization's records (`documents.claim`): a page beside it could neither see
the removal nor be seen by it.
"""

from collections.abc import Sequence

from pydantic_core import to_json
from sqlalchemy import text

from contracts.records import Removal
from patients.adapters.tenant import Tenant

_REMEMBER = text("""
    INSERT INTO removals AS known (organization_id, kind, cliniko_id, sequence)
    SELECT :organization_id, :kind, page.*
    FROM jsonb_to_recordset(CAST(:page AS jsonb)) AS page (cliniko_id text, sequence bigint)
    ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE SET sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
""")
_REMOVE_PATIENTS = text("""
    DELETE FROM patients USING removals
    WHERE patients.organization_id = :organization_id AND removals.organization_id = :organization_id
      AND removals.kind = 'patient' AND removals.cliniko_id = patients.cliniko_patient_id
      AND removals.sequence > patients.sequence AND removals.cliniko_id = ANY(:ids)
    RETURNING patients.cliniko_patient_id
""")
_REMOVE_APPOINTMENTS = text("""
    DELETE FROM appointments USING removals
    WHERE appointments.organization_id = :organization_id AND removals.organization_id = :organization_id
      AND removals.kind = 'appointment' AND removals.cliniko_id = appointments.cliniko_appointment_id
      AND removals.sequence > appointments.sequence AND removals.cliniko_id = ANY(:ids)
    RETURNING appointments.cliniko_patient_id
""")


async def remove_patients(tenant: Tenant, removals: Sequence[Removal]) -> list[str]:
    """Returns the ids of those now gone; appointments that are left wait for a record of their patient again."""
    await _remember(tenant, "patient", removals)
    return list((await tenant.execute(_REMOVE_PATIENTS, ids=_ids(removals))).scalars())


async def remove_appointments(tenant: Tenant, removals: Sequence[Removal]) -> list[str]:
    """Returns the ids of the patients who lost one."""
    await _remember(tenant, "appointment", removals)
    return list((await tenant.execute(_REMOVE_APPOINTMENTS, ids=_ids(removals))).scalars())


async def _remember(tenant: Tenant, kind: str, removals: Sequence[Removal]) -> None:
    newest = {removal.cliniko_id: removal for removal in sorted(removals, key=lambda removal: removal.sequence)}
    await tenant.execute(_REMEMBER, kind=kind, page=to_json(list(newest.values())).decode())


def _ids(removals: Sequence[Removal]) -> list[str]:
    return [removal.cliniko_id for removal in removals]
