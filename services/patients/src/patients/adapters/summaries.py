"""Figures over documents that have just been made true, and what they were made of."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, text

from patients.adapters.documents import ANY_UNTRUE
from patients.adapters.tenant import Tenant
from patients.domain.listing import Version
from patients.domain.summaries import ActiveSummary, TypesSummary

_ACTIVE_SUMMARY = text("""
    SELECT
        count(*) AS total_active_patients,
        count(*) FILTER (WHERE recent_count > 0) AS patients_with_recent_appointments,
        count(*) FILTER (WHERE upcoming_count > 0) AS patients_with_upcoming_appointments,
        coalesce(round(avg(recent_count), 1), 0)::float AS avg_recent_appointments,
        coalesce(round(avg(total_count), 1), 0)::float AS avg_total_appointments,
        (SELECT completed_at FROM last_runs WHERE organization_id = :organization_id) AS last_sync_date
    FROM patient_documents
    WHERE organization_id = :organization_id AND active
""")

_TYPES_SUMMARY = text("""
    SELECT
        next_type AS next_appointment_type,
        primary_type AS primary_appointment_type,
        count(*) AS patient_count,
        count(next_at) AS patients_with_upcoming,
        min(next_at) AS earliest_upcoming,
        max(next_at) AS latest_upcoming
    FROM patient_documents
    WHERE organization_id = :organization_id AND active
    GROUP BY next_type, primary_type
    ORDER BY count(*) DESC, next_type NULLS LAST, primary_type NULLS LAST
""")

STATE = text(f"""
    SELECT
        ({ANY_UNTRUE}) AS untrue,
        (
            SELECT CAST(coalesce(sum(weight), 0) AS bigint) FROM changes WHERE organization_id = :organization_id
        ) AS changes,
        (SELECT completed_at FROM last_runs WHERE organization_id = :organization_id) AS synced_at
""").columns(untrue=Boolean, changes=BigInteger, synced_at=DateTime(timezone=True))


async def active_summary(tenant: Tenant) -> ActiveSummary:
    return ActiveSummary(**(await tenant.execute(_ACTIVE_SUMMARY)).mappings().one())


async def types_summary(tenant: Tenant) -> list[TypesSummary]:
    return [TypesSummary(**row) for row in (await tenant.execute(_TYPES_SUMMARY)).mappings()]


async def state(tenant: Tenant, now: datetime) -> tuple[bool, Version]:
    """Whether any document is to be made before it is read, and the version of all that is read of this organization.

    A read after this one may be newer, none is older.
    """
    found = (await tenant.execute(STATE, now=now)).one()
    return found.untrue, Version(found.changes, found.synced_at)
