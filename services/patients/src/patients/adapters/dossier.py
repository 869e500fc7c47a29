"""Everything that is kept of one patient: shown as it is, or erased for good.

Whoever erases must be alone with the organization's records (`documents.claim`): a page beside it could neither see the
erasure nor be seen by it. What comes later is kept out by the ids that stay in `erasures`.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from patients.adapters.tenant import Tenant

_EVERYTHING = text("""
    SELECT json_build_object(
        'patient', (
            SELECT row_to_json(shown) FROM (
                SELECT patient_id AS id, cliniko_patient_id, name, phone, email,
                    utc_text(archived_at) AS archived_at, utc_text(deleted_at) AS deleted_at,
                    utc_text(merged_at) AS merged_at, utc_text(created_at) AS created_at,
                    utc_text(changed_at) AS updated_at
            ) AS shown
        ),
        'appointments', (
            SELECT coalesce(json_agg(row_to_json(shown) ORDER BY starts_at, id), '[]') FROM (
                SELECT cliniko_appointment_id AS id, utc_text(starts_at) AS starts_at, utc_text(ends_at) AS ends_at,
                    type.name AS type, practitioner.name AS practitioner, notes, patient_arrived, did_not_arrive,
                    utc_text(cancelled_at) AS cancelled_at, utc_text(archived_at) AS archived_at,
                    utc_text(deleted_at) AS deleted_at, utc_text(created_at) AS created_at
                FROM appointments
                LEFT JOIN appointment_types AS type USING (organization_id, appointment_type_id)
                LEFT JOIN practitioners AS practitioner USING (organization_id, practitioner_id)
                WHERE organization_id = :organization_id AND cliniko_patient_id = patients.cliniko_patient_id
            ) AS shown
        )
    )::text
    FROM patients WHERE organization_id = :organization_id AND patient_id = :patient_id
""")
_FIND = text("""
    SELECT cliniko_patient_id FROM patients WHERE organization_id = :organization_id AND patient_id = :patient_id
""")
_KEEP_OUT = text("""
    INSERT INTO erasures (organization_id, cliniko_patient_id, erased_at)
    VALUES (:organization_id, :cliniko_patient_id, :now) ON CONFLICT DO NOTHING
""")
_ERASE = "DELETE FROM {} WHERE organization_id = :organization_id AND cliniko_patient_id = :cliniko_patient_id"
_ERASE_PATIENT, _ERASE_PLACES = text(_ERASE.format("patients")), text(_ERASE.format("former_places"))
# Remembered as removed: an older state, in which one was somebody else's, may still be on its way.
_ERASE_APPOINTMENTS = text(f"""
    WITH erased AS ({_ERASE.format("appointments")} RETURNING cliniko_appointment_id, sequence)
    INSERT INTO removals AS known (organization_id, kind, cliniko_id, sequence)
    SELECT :organization_id, 'appointment', cliniko_appointment_id, sequence FROM erased
    ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE SET sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
""")
_ERASED = text("""
    SELECT cliniko_patient_id FROM erasures
    WHERE organization_id = :organization_id AND cliniko_patient_id = ANY(:patients)
""")


async def everything(tenant: Tenant, patient_id: UUID) -> str | None:
    """As JSON text, cancelled and archived appointments too; None when there is no such patient."""
    found: str | None = (await tenant.execute(_EVERYTHING, patient_id=patient_id)).scalar_one_or_none()
    return found


async def erased(tenant: Tenant, patients: Iterable[str]) -> set[str]:
    """Those of the patients who were erased."""
    return set((await tenant.execute(_ERASED, patients=sorted(set(patients)))).scalars())


async def find(tenant: Tenant, patient_id: UUID) -> str | None:
    """The patient's id in Cliniko; None when there is no such patient."""
    found: str | None = (await tenant.execute(_FIND, patient_id=patient_id)).scalar_one_or_none()
    return found


async def erase(tenant: Tenant, cliniko_patient_id: str, now: datetime) -> None:
    """The records, now and from now on. The document goes when it is made anew."""
    await tenant.execute(_KEEP_OUT, cliniko_patient_id=cliniko_patient_id, now=now)
    for statement in (_ERASE_PATIENT, _ERASE_APPOINTMENTS):
        await tenant.execute(statement, cliniko_patient_id=cliniko_patient_id)


async def erase_traces(tenant: Tenant, cliniko_patient_id: str) -> None:
    """What making the document left behind; once it is gone, nothing adds to it."""
    await tenant.execute(_ERASE_PLACES, cliniko_patient_id=cliniko_patient_id)
