"""The lists, read from documents that have just been made true."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, literal, select, text, true, tuple_

from patients.adapters.tables import last_runs, patient_documents
from patients.adapters.tenant import Tenant
from patients.domain import search
from patients.domain.listing import Listed, Listing, Page, Position
from patients.domain.summaries import ActiveSummary, TypesSummary

_ROW = patient_documents.c
_ORDER = (_ROW.next_order, _ROW.recency, _ROW.name_order, _ROW.patient_id)
_ORGANIZATION = bindparam("organization_id", type_=Text)
_SHOWN = {
    "true": _ROW.active,
    "false": _ROW.listed & ~_ROW.active,
    "all": _ROW.listed,
}

_FULL_SWEEP = select(last_runs.c.full_sweep_at).where(last_runs.c.organization_id == _ORGANIZATION).scalar_subquery()
_CONFIRMED = func.utc_text(func.greatest(_ROW.changed_at, _FULL_SWEEP), type_=Text)
# `last_synced_at` moves with every full sweep: it is put in here, so that no sweep has to rewrite every document.
_DOCUMENT = _ROW.document + literal(',"last_synced_at":"') + _CONFIRMED + literal('"') + _ROW.document_end

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


async def page(tenant: Tenant, listing: Listing) -> Page:
    """One snapshot of a page and of the number that match."""
    rows = (await tenant.execute(_page(listing))).all()
    found = [row for row in rows if row.document is not None]
    shown = found[: listing.limit]
    end = Position(*shown[-1][-len(_ORDER) :]) if len(found) > len(shown) else None
    return Page([Listed(row.document, row.next_at) for row in shown], rows[0].total, end)


async def active_summary(tenant: Tenant) -> ActiveSummary:
    return ActiveSummary(**(await tenant.execute(_ACTIVE_SUMMARY)).mappings().one())


async def types_summary(tenant: Tenant) -> list[TypesSummary]:
    return [TypesSummary(**row) for row in (await tenant.execute(_TYPES_SUMMARY)).mappings()]


def _page(listing: Listing) -> Select[Any]:
    """The total beside every row of the page, and one row more than the page holds: is there a next one?"""
    wanted = _wanted(listing)
    total = select(func.count().label("total")).select_from(patient_documents).where(*wanted).subquery()
    if listing.after is not None:
        wanted.append(tuple_(*_ORDER) > tuple_(*listing.after))
    rows = (
        select(_DOCUMENT.label("document"), _ROW.next_at, *_ORDER)
        .where(*wanted)
        .order_by(*_ORDER)
        .limit(listing.limit + 1)
        .subquery()
    )
    return (
        select(total.c.total, rows)
        .select_from(total.outerjoin(rows, true()))
        .order_by(*(rows.c[column.name] for column in _ORDER))
    )


def _wanted(listing: Listing) -> list[ColumnElement[bool]]:
    wanted = [_ROW.organization_id == _ORGANIZATION, _SHOWN[listing.active]]
    if listing.search is not None:
        wanted.append(func.strpos(_ROW.search_text, search.term(listing.search)) > 0)
    if listing.appointment_type is not None:
        wanted.append((_ROW.next_type == listing.appointment_type) | (_ROW.primary_type == listing.appointment_type))
    return wanted
