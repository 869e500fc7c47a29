"""The clinic's records: a page at a time, and only what is newer than what is here.

Rows are written in the order of their keys, so that two pages with the same records never wait for each other in a
circle. What was removed stays away until a newer state of it comes (`removals.py`), and of patients who were erased
(`dossier.py`) everything does.
"""

from collections.abc import Sequence

from pydantic_core import to_json
from sqlalchemy import text

from contracts.records import AppointmentRecord, AppointmentTypeRecord, PractitionerRecord
from patients.adapters.tenant import Tenant
from patients.domain.patient import Patient

_UPSERT_PATIENTS = text("""
    INSERT INTO patients AS known (
        organization_id, cliniko_patient_id, patient_id, name, name_order, phone, email, search_text,
        archived_at, deleted_at, merged_at, created_at, updated_at, sequence, changed_at
    )
    SELECT :organization_id, page.*
    FROM jsonb_to_recordset(CAST(:page AS jsonb)) AS page (
        cliniko_patient_id text, patient_id uuid, name text, name_order text, phone text, email text, search_text text,
        archived_at timestamptz, deleted_at timestamptz, merged_at timestamptz, created_at timestamptz,
        updated_at timestamptz, sequence bigint, changed_at timestamptz
    )
    WHERE NOT EXISTS (
        SELECT FROM removals WHERE organization_id = :organization_id AND kind = 'patient'
        AND removals.cliniko_id = page.cliniko_patient_id AND removals.sequence > page.sequence
    ) AND NOT EXISTS (
        SELECT FROM erasures
        WHERE organization_id = :organization_id AND erasures.cliniko_patient_id = page.cliniko_patient_id
    )
    ON CONFLICT (organization_id, cliniko_patient_id) DO UPDATE SET
        name = excluded.name, name_order = excluded.name_order, phone = excluded.phone, email = excluded.email,
        search_text = excluded.search_text, archived_at = excluded.archived_at, deleted_at = excluded.deleted_at,
        merged_at = excluded.merged_at, created_at = excluded.created_at, updated_at = excluded.updated_at,
        sequence = excluded.sequence, changed_at = excluded.changed_at
    WHERE known.sequence < excluded.sequence
    RETURNING cliniko_patient_id
""")

# `moved_from` is there to be returned: before version 18 PostgreSQL does not tell what a row was before its update.
_UPSERT_APPOINTMENTS = text("""
    INSERT INTO appointments AS known (
        organization_id, cliniko_appointment_id, cliniko_patient_id, appointment_type_id, practitioner_id,
        starts_at, ends_at, notes, patient_arrived, did_not_arrive, cancelled_at, archived_at, deleted_at,
        created_at, updated_at, sequence
    )
    SELECT :organization_id, page.*
    FROM jsonb_to_recordset(CAST(:page AS jsonb)) AS page (
        cliniko_appointment_id text, cliniko_patient_id text, appointment_type_id text, practitioner_id text,
        starts_at timestamptz, ends_at timestamptz, notes text, patient_arrived boolean, did_not_arrive boolean,
        cancelled_at timestamptz, archived_at timestamptz, deleted_at timestamptz,
        created_at timestamptz, updated_at timestamptz, sequence bigint
    )
    WHERE NOT EXISTS (
        SELECT FROM removals WHERE organization_id = :organization_id AND kind = 'appointment'
        AND removals.cliniko_id = page.cliniko_appointment_id AND removals.sequence > page.sequence
    ) AND NOT EXISTS (
        SELECT FROM erasures
        WHERE organization_id = :organization_id AND erasures.cliniko_patient_id = page.cliniko_patient_id
    )
    ON CONFLICT (organization_id, cliniko_appointment_id) DO UPDATE SET
        cliniko_patient_id = excluded.cliniko_patient_id,
        moved_from = nullif(known.cliniko_patient_id, excluded.cliniko_patient_id),
        appointment_type_id = excluded.appointment_type_id, practitioner_id = excluded.practitioner_id,
        starts_at = excluded.starts_at, ends_at = excluded.ends_at, notes = excluded.notes,
        patient_arrived = excluded.patient_arrived, did_not_arrive = excluded.did_not_arrive,
        cancelled_at = excluded.cancelled_at, archived_at = excluded.archived_at, deleted_at = excluded.deleted_at,
        created_at = excluded.created_at, updated_at = excluded.updated_at, sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
    RETURNING cliniko_patient_id, moved_from
""")

_UPSERT_APPOINTMENT_TYPES = text("""
    INSERT INTO appointment_types AS known (organization_id, appointment_type_id, name, updated_at, sequence)
    SELECT :organization_id, page.*
    FROM jsonb_to_recordset(CAST(:page AS jsonb)) AS page (
        appointment_type_id text, name text, updated_at timestamptz, sequence bigint
    )
    ON CONFLICT (organization_id, appointment_type_id) DO UPDATE SET
        name = excluded.name, updated_at = excluded.updated_at, sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
    RETURNING appointment_type_id
""")

_UPSERT_PRACTITIONERS = text("""
    INSERT INTO practitioners AS known (organization_id, practitioner_id, name, updated_at, sequence)
    SELECT :organization_id, page.*
    FROM jsonb_to_recordset(CAST(:page AS jsonb)) AS page (
        practitioner_id text, name text, updated_at timestamptz, sequence bigint
    )
    ON CONFLICT (organization_id, practitioner_id) DO UPDATE SET
        name = excluded.name, updated_at = excluded.updated_at, sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
    RETURNING practitioner_id
""")


async def upsert_patients(tenant: Tenant, patients: Sequence[Patient]) -> list[str]:
    """Returns the ids of the patients that were new or changed."""
    return list((await tenant.execute(_UPSERT_PATIENTS, page=_page(patients))).scalars())


async def upsert_appointments(tenant: Tenant, appointments: Sequence[AppointmentRecord]) -> list[str]:
    """Returns the ids of the patients who gained, changed or lost an appointment."""
    rows = await tenant.execute(_UPSERT_APPOINTMENTS, page=_page(appointments))
    return sorted({patient for row in rows for patient in row if patient is not None})


async def upsert_appointment_types(tenant: Tenant, types: Sequence[AppointmentTypeRecord]) -> list[str]:
    """Returns the ids of the types that were new or changed."""
    return list((await tenant.execute(_UPSERT_APPOINTMENT_TYPES, page=_page(types))).scalars())


async def upsert_practitioners(tenant: Tenant, practitioners: Sequence[PractitionerRecord]) -> list[str]:
    """Returns the ids of the practitioners who were new or changed."""
    return list((await tenant.execute(_UPSERT_PRACTITIONERS, page=_page(practitioners))).scalars())


def _page(records: Sequence[object]) -> str:
    return to_json(records).decode()
