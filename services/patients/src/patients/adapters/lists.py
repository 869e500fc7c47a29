"""Stretches of the list, read from documents that have just been made true."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    Subquery,
    Text,
    bindparam,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
    union_all,
)

from patients.adapters.tables import last_runs, patient_documents
from patients.adapters.tenant import Tenant
from patients.domain import search
from patients.domain.listing import Bookmark, Listed, Listing, Page, Position, Walk

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
_DOCUMENT = (_ROW.document + literal(',"last_synced_at":"') + _CONFIRMED + literal('"') + _ROW.document_end).label(
    "document"
)

_SEEN = (
    func.pg_current_snapshot().cast(Text).label("snapshot"),
    func.pg_current_xact_id().cast(Text).label("transaction"),
)
# Where those stood who moved in a transaction that the first page of a walk did not see: at the first place they left.
_MOVED = text("""
    SELECT DISTINCT ON (cliniko_patient_id) cliniko_patient_id, next_order, recency, name_order FROM former_places
    WHERE organization_id = :organization_id
      AND moved_in >= pg_snapshot_xmin(CAST(CAST(:snapshot AS text) AS pg_snapshot))
      AND NOT pg_visible_in_snapshot(moved_in, CAST(CAST(:snapshot AS text) AS pg_snapshot))
      AND moved_in <> CAST(CAST(:transaction AS text) AS xid8)
    ORDER BY cliniko_patient_id, id
""").columns(_ROW.cliniko_patient_id, _ROW.next_order, _ROW.recency, _ROW.name_order)


async def page(tenant: Tenant, listing: Listing, now: datetime) -> Page:
    """One state of a page and of the number that match. A further page keeps everybody where the first one saw them."""
    walk = listing.bookmark and listing.bookmark.walk
    seen = {"snapshot": walk.snapshot, "transaction": walk.transaction} if walk else {}
    rows = (await tenant.execute(_page(listing), **seen)).all()
    found = [row for row in rows if row.document is not None]
    walk = walk or Walk(now, rows[0].snapshot, rows[0].transaction)
    end = Bookmark(walk, _position(found[listing.limit - 1])) if len(found) > listing.limit else None
    return Page(_listed(found[: listing.limit]), rows[0].total, end)


async def stretch(
    tenant: Tenant, listing: Listing, after: Position | None, limit: int
) -> tuple[list[Listed], Position | None]:
    """Up to `limit` of the patients that match, and where they end; None at the end of the list.

    To be read within one snapshot: nobody is looked for where they were before.
    """
    found = (await tenant.execute(_after(after, _select(*_ORDER).where(*_wanted(listing)), limit))).all()
    return _listed(found), _position(found[-1]) if len(found) == limit else None


def _page(listing: Listing) -> Select[Any]:
    """The total beside every row of the page, and one row more than the page holds: is there a next one?"""
    wanted = _wanted(listing)
    total = select(func.count().label("total"), *_SEEN).select_from(patient_documents).where(*wanted).subquery()
    rows = _rows(listing, wanted)
    order = (rows.c[column.name] for column in _ORDER)
    return select(total, rows).select_from(total.outerjoin(rows, true())).order_by(*order)


def _rows(listing: Listing, wanted: Sequence[ColumnElement[bool]]) -> Subquery:
    standing, limit = _select(*_ORDER).where(*wanted), listing.limit + 1
    if listing.bookmark is None:
        return _after(None, standing, limit).subquery()
    moved, after = _MOVED.cte("moved"), listing.bookmark.after
    stayed = standing.where(_ROW.cliniko_patient_id.not_in(select(moved.c.cliniko_patient_id)))
    parts = (_after(after, rows, limit).subquery().select() for rows in (stayed, _moved(moved, wanted)))
    both = union_all(*parts).subquery()
    return both.select().order_by(*(both.c[column.name] for column in _ORDER)).limit(limit).subquery()


def _moved(moved: CTE, wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """As they are now, where they were then."""
    place = (moved.c.next_order, moved.c.recency, moved.c.name_order, _ROW.patient_id)
    return _select(*place).join(moved, moved.c.cliniko_patient_id == _ROW.cliniko_patient_id).where(*wanted)


def _select(*place: ColumnElement[Any]) -> Select[Any]:
    return select(_DOCUMENT, _ROW.next_at, *place)


def _after(after: Position | None, rows: Select[Any], limit: int) -> Select[Any]:
    place = rows.selected_columns[-len(_ORDER) :]
    return (rows.where(tuple_(*place) > tuple_(*after)) if after else rows).order_by(*place).limit(limit)


def _wanted(listing: Listing) -> list[ColumnElement[bool]]:
    wanted = [_ROW.organization_id == _ORGANIZATION, _SHOWN[listing.active]]
    if listing.search is not None:
        wanted.append(func.strpos(_ROW.search_text, search.term(listing.search)) > 0)
    if listing.appointment_type is not None:
        wanted.append((_ROW.next_type == listing.appointment_type) | (_ROW.primary_type == listing.appointment_type))
    return wanted


def _listed(rows: Sequence[Row[Any]]) -> list[Listed]:
    return [Listed(row.patient_id, row.document, row.next_at) for row in rows]


def _position(row: Row[Any]) -> Position:
    return Position(row.next_order, row.recency, row.name_order, row.patient_id)
