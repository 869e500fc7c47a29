"""One document per patient: what the lists say about them, true until `valid_until`.

Whoever changes what a document is made of marks it as stale in the same transaction; whoever reads makes what is marked
or has expired first. A mark is a row, and marking locks it even where it stands already: so a maker, who takes the
marks first and makes the documents in a later statement, sees the records of every transaction that marked before, and
who marks after it leaves a mark behind. A clinic's first sync so makes each document once, and not with every page.

Nobody waits in a circle: a transaction marks once and makes once, locks marks before documents and both in the order of
the patients' ids, and one that marks and makes has locked all marks that stand before it adds its own.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from patients.adapters.document_text import MAKE_DOCUMENTS
from patients.adapters.tenant import Tenant

PIECE = 5_000
"""Documents made by one statement, in about a second."""

# `WHERE false` updates nothing, but only after the row is locked.
_MARK = """
    INSERT INTO stale_documents AS marked (organization_id, cliniko_patient_id)
    SELECT :organization_id, cliniko_patient_id FROM {patients} ORDER BY cliniko_patient_id COLLATE "C"
    ON CONFLICT (organization_id, cliniko_patient_id) DO UPDATE SET cliniko_patient_id = NULL WHERE false
"""
_MARK_PATIENTS = text(_MARK.format(patients="unnest(CAST(:patients AS text[])) AS touched (cliniko_patient_id)"))
_MARK_WITH_STANDING = text(
    _MARK.format(
        patients="""(
            SELECT unnest(CAST(:patients AS text[])) AS cliniko_patient_id
            UNION SELECT cliniko_patient_id FROM stale_documents WHERE organization_id = :organization_id
        ) AS touched"""
    )
)
_MARK_WITH_NAMES = text(
    _MARK.format(
        patients="""(
            SELECT DISTINCT cliniko_patient_id FROM appointments
            WHERE organization_id = :organization_id AND counted
              AND (appointment_type_id = ANY(:types) OR practitioner_id = ANY(:practitioners))
        ) AS touched"""
    )
)

ANY_UNTRUE = """
    EXISTS (SELECT FROM stale_documents WHERE organization_id = :organization_id)
    OR EXISTS (SELECT FROM patient_documents WHERE organization_id = :organization_id AND valid_until <= :now)
"""
"""Whether any document is to be made before documents are read."""

_MARKED = text("""
    SELECT cliniko_patient_id FROM stale_documents WHERE organization_id = :organization_id
    ORDER BY cliniko_patient_id FOR UPDATE
""")
_TAKE = text("""
    WITH without_patient AS (
        DELETE FROM patient_documents AS left_over
        WHERE organization_id = :organization_id AND cliniko_patient_id = ANY(:marked) AND NOT EXISTS (
            SELECT FROM patients
            WHERE organization_id = :organization_id AND cliniko_patient_id = left_over.cliniko_patient_id
        )
    )
    DELETE FROM stale_documents WHERE organization_id = :organization_id AND cliniko_patient_id = ANY(:marked)
""")
_LOCK_UNTRUE = text("""
    SELECT cliniko_patient_id FROM patient_documents
    WHERE organization_id = :organization_id AND (valid_until <= :now OR cliniko_patient_id = ANY(:marked))
    ORDER BY cliniko_patient_id FOR UPDATE
""")

# Pages are written beside each other, names and removals alone. A page beside a removal could neither see it nor be
# seen by it; one beside a name brings documents that the name does not mark, and a reader may make them too early.
_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('records of ' || :organization_id, 0))")
_CLAIM = text("SELECT pg_advisory_xact_lock(hashtextextended('records of ' || :organization_id, 0))")


async def mark(tenant: Tenant, patients: Sequence[str]) -> None:
    """Have the documents of these patients made anew before they are read again."""
    if patients:
        await tenant.execute(_MARK_PATIENTS, patients=patients)


async def mark_named(tenant: Tenant, *, types: Sequence[str] = (), practitioners: Sequence[str] = ()) -> None:
    """The same for the documents in which these names appear."""
    if types or practitioners:
        await tenant.execute(_MARK_WITH_NAMES, types=types, practitioners=practitioners)


async def refresh(tenant: Tenant, now: datetime) -> None:
    """Make every document true that is not; normally there is none. Once in a transaction."""
    marked = (await tenant.execute(_MARKED)).scalars().all()
    expired = (await tenant.execute(_LOCK_UNTRUE, now=now, marked=marked)).scalars()
    if marked:
        await tenant.execute(_TAKE, marked=marked)
    untrue = sorted({*marked, *expired})
    for start in range(0, len(untrue), PIECE):
        await tenant.execute(MAKE_DOCUMENTS, patients=untrue[start : start + PIECE], now=now)


async def remake(tenant: Tenant, patients: Sequence[str], now: datetime) -> None:
    """Make the documents of these patients anew, and all others that are not true; for who has claimed the records."""
    await tenant.execute(_MARK_WITH_STANDING, patients=patients)
    await refresh(tenant, now)


async def share(tenant: Tenant) -> None:
    """Nothing of this organization is renamed or removed until this transaction ends."""
    await tenant.execute(_SHARE)


async def claim(tenant: Tenant) -> None:
    """No other transaction writes this organization's records or names until this one ends."""
    await tenant.execute(_CLAIM)
