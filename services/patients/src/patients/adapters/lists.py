"""Stretches of the list, read from documents that have just been made true."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
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

from patients.adapters.summaries import STATE
from patients.adapters.tables import last_runs, patient_documents
from patients.adapters.tenant import Tenant
from patients.domain import search
from patients.domain.listing import Active, Bookmark, Listed, Listing, Page, Position, Version, Walk

_ROW = patient_documents.c
_ORDER = (_ROW.next_order, _ROW.recency, _ROW.name_order, _ROW.patient_id)
_ORGANIZATION, _TERM, _TYPE = (bindparam(name, type_=Text) for name in ("organization_id", "term", "type"))
_LIMIT = bindparam("limit", type_=Integer)
_PLACE_NAMES = ("next_order", "recency", "name_order", "last_id")
_PLACE = tuple_(*(bindparam(f"after_{column.name}", type_=column.type) for column in _ORDER))
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


async def page(tenant: Tenant, listing: Listing, now: datetime) -> tuple[bool, Page]:
    """Whether any document is to be made before it is read; one state of a page and of the number that match.

    A further page keeps everybody where the first one saw them.
    """
    walk, after = listing.bookmark or (None, None)
    seen = {"snapshot": walk.snapshot, "transaction": walk.transaction} if walk else {}
    statement = _page(_shape(listing), goes_on=after is not None)
    (found,) = await tenant.fetch(statement, now=now, **seen, **_values(listing, after, listing.limit + 1))
    patients = list(map(Listed, found["patient_id"] or (), found["document"] or (), found["next_at"] or ()))
    walk = walk or Walk(now, found["snapshot"], found["transaction"])
    place = Position(*(found[name] for name in _PLACE_NAMES))
    end = Bookmark(walk, place) if len(patients) > listing.limit else None
    version = Version(found["changes"], found["synced_at"])
    return found["untrue"], Page(version, patients[: listing.limit], found["total"], end)


async def stretch(
    tenant: Tenant, listing: Listing, after: Position | None, limit: int
) -> tuple[list[Listed], Position | None]:
    """Up to `limit` of the patients that match, and where they end; None at the end of the list.

    To be read within one snapshot: nobody is looked for where they were before.
    """
    statement = _stretch(_shape(listing), goes_on=after is not None)
    found = (await tenant.execute(statement, **_values(listing, after, limit))).all()
    return [Listed(row.patient_id, row.document, row.next_at) for row in found], _end(found, limit)


class _Shape(NamedTuple):
    """What the text of a statement depends on: the values are bound."""

    active: Active
    searched: bool
    of_type: bool


def _shape(listing: Listing) -> _Shape:
    return _Shape(listing.active, listing.search is not None, listing.appointment_type is not None)


def _values(listing: Listing, after: Position | None, limit: int) -> dict[str, Any]:
    place = {f"after_{name}": value for name, value in after._asdict().items()} if after else {}
    values = {"term": listing.search and search.term(listing.search), "type": listing.appointment_type}
    return {"limit": limit, **{name: value for name, value in values.items() if value is not None}, **place}


@cache  # to put a statement together takes longer than PostgreSQL needs for it
def _page(shape: _Shape, *, goes_on: bool) -> Select[Any]:
    """One row: version, total, and in arrays one patient more than the page holds: is there a next one?"""
    wanted = _wanted(shape)
    total = select(func.count().label("total"), *_SEEN).select_from(patient_documents).where(*wanted).subquery()
    state, patients = STATE.subquery(), _gathered(_rows(wanted, goes_on=goes_on)).subquery()
    return select(state, total, patients).select_from(state.join(total, true()).join(patients, true()))


def _gathered(rows: Subquery) -> Select[Any]:
    """Rows that come in order; beside them the place of the last one that the page holds."""
    arrays = {column.name: func.array_agg(column, type_=ARRAY(column.type)) for column in rows.c}
    shown = (arrays[name].label(name) for name in ("patient_id", "document", "next_at"))
    place = (arrays[column.name][_LIMIT - 1].label(name) for column, name in zip(_ORDER, _PLACE_NAMES, strict=True))
    columns: list[Any] = [*shown, *place]
    return select(*columns)


@cache
def _stretch(shape: _Shape, *, goes_on: bool) -> Select[Any]:
    return _after(_select(*_ORDER).where(*_wanted(shape)), goes_on=goes_on)


def _rows(wanted: Sequence[ColumnElement[bool]], *, goes_on: bool) -> Subquery:
    standing = _select(*_ORDER).where(*wanted)
    if not goes_on:
        return _after(standing, goes_on=False).subquery()
    moved = _MOVED.cte("moved")
    stayed = standing.where(_ROW.cliniko_patient_id.not_in(select(moved.c.cliniko_patient_id)))
    parts = (_after(rows, goes_on=True).subquery().select() for rows in (stayed, _moved(moved, wanted)))
    both = union_all(*parts).subquery()
    return both.select().order_by(*(both.c[column.name] for column in _ORDER)).limit(_LIMIT).subquery()


def _moved(moved: CTE, wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """As they are now, where they were then."""
    place = (moved.c.next_order, moved.c.recency, moved.c.name_order, _ROW.patient_id)
    return _select(*place).join(moved, moved.c.cliniko_patient_id == _ROW.cliniko_patient_id).where(*wanted)


def _select(*place: ColumnElement[Any]) -> Select[Any]:
    return select(_DOCUMENT, _ROW.next_at, *place)


def _after(rows: Select[Any], *, goes_on: bool) -> Select[Any]:
    place = rows.selected_columns[-len(_ORDER) :]
    return (rows.where(tuple_(*place) > _PLACE) if goes_on else rows).order_by(*place).limit(_LIMIT)


def _wanted(shape: _Shape) -> list[ColumnElement[bool]]:
    wanted = [_ROW.organization_id == _ORGANIZATION, _SHOWN[shape.active]]
    if shape.searched:
        wanted.append(func.strpos(_ROW.search_text, _TERM) > 0)
    if shape.of_type:
        wanted.append((_ROW.next_type == _TYPE) | (_ROW.primary_type == _TYPE))
    return wanted


def _end(found: Sequence[Row[Any]], limit: int) -> Position | None:
    if len(found) < limit:
        return None
    return Position(*(getattr(found[-1], column.name) for column in _ORDER))
