"""One document per patient: what the lists say about them, true until `valid_until`.

How a document stays true while several transactions change what it is made of: each first writes its records, then
locks the documents they touch, then makes these documents in a later statement, which therefore sees the records of
every transaction that held the lock before. Locks are taken in the order of the patients' ids.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from patients.adapters.document_text import MAKE_DOCUMENTS
from patients.adapters.tenant import Tenant

# `WHERE false` updates nothing, but only after the row is locked; a row that was missing is inserted.
_LOCK = text("""
    INSERT INTO patient_documents (organization_id, cliniko_patient_id)
    SELECT :organization_id, patient FROM unnest(CAST(:patients AS text[])) AS patient ORDER BY patient COLLATE "C"
    ON CONFLICT (organization_id, cliniko_patient_id) DO UPDATE SET active = excluded.active WHERE false
""")

_LOCK_EXPIRED = text("""
    SELECT cliniko_patient_id FROM patient_documents
    WHERE organization_id = :organization_id AND valid_until <= :now
    ORDER BY cliniko_patient_id FOR UPDATE
""")

# Pages of patients and of appointments are written beside each other, names and removals alone: a page that is not
# committed may already have made its documents with the old name, and nobody else sees its records yet.
_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('records of ' || :organization_id, 0))")
_CLAIM = text("SELECT pg_advisory_xact_lock(hashtextextended('records of ' || :organization_id, 0))")

_EXPIRE_WITH_NAMES = text("""
    WITH touched AS (
        SELECT cliniko_patient_id FROM patient_documents
        WHERE organization_id = :organization_id AND listed AND cliniko_patient_id IN (
            SELECT cliniko_patient_id FROM appointments
            WHERE organization_id = :organization_id AND counted
              AND (appointment_type_id = ANY(:types) OR practitioner_id = ANY(:practitioners))
        )
        ORDER BY cliniko_patient_id FOR UPDATE
    )
    UPDATE patient_documents SET valid_until = '-infinity'
    WHERE organization_id = :organization_id AND cliniko_patient_id IN (SELECT cliniko_patient_id FROM touched)
""")


async def rewrite(tenant: Tenant, patients: Sequence[str], now: datetime) -> None:
    """Make the documents of these patients from what their records say."""
    if patients:
        await tenant.execute(_LOCK, patients=patients)
        await tenant.execute(MAKE_DOCUMENTS, patients=patients, now=now)


async def refresh(tenant: Tenant, now: datetime) -> None:
    """Make every document true that has ceased to be; normally there is none."""
    expired = (await tenant.execute(_LOCK_EXPIRED, now=now)).scalars().all()
    if expired:
        await tenant.execute(MAKE_DOCUMENTS, patients=expired, now=now)


async def share(tenant: Tenant) -> None:
    """Nothing of this organization is renamed or removed until this transaction ends."""
    await tenant.execute(_SHARE)


async def claim(tenant: Tenant) -> None:
    """No other transaction writes this organization's records or names until this one ends."""
    await tenant.execute(_CLAIM)


async def expire(tenant: Tenant, *, types: Sequence[str] = (), practitioners: Sequence[str] = ()) -> None:
    """Have the documents these names appear in made anew before they are read again."""
    await tenant.execute(_EXPIRE_WITH_NAMES, types=types, practitioners=practitioners)
