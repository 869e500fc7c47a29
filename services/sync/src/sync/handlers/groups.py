"""Group appointments as the appointments of their attendees, a page at a time.

How a run uses it. For everything: walk `group_appointments` with GROUP_FILTERS (and `starts_at`, as for individual
ones) like any list, pass each page's rows through `attendances_of`, map what comes back with `domain.groups.attended`,
and land it as appointments. For changes: walk `group_appointments` by its own times through `attendances_of`, so that
a group that is moved takes its attendees along, and `attendees` with ATTENDEE_FILTERS by theirs through
`attendances_for`.

Each page brings what it needs of the other list with it, so nothing depends on what has landed before. Attendees of
individual appointments, of which Cliniko has one each, are never walked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.domain.clinic import Clinic, Json
from sync.domain.groups import booking_of, joined
from sync.domain.values import identity

GROUP_FILTERS = ("archived_at:*", "deleted_at:*")
ATTENDEE_FILTERS = ("archived_at:*", "cancelled_at:*", "deleted_at:*")
READINGS = 2
"""Rows that slipped from page to page while a list was read turn up when it is read again."""


@dataclass(frozen=True)
class Attendances:
    """Rows for `domain.groups.attended`. When not `complete`, their absence proves nothing."""

    rows: Sequence[Json]
    complete: bool
    attendees: Sequence[Json] = ()
    """Those read on the way with everything they lead to."""


async def attendances_of(groups: Sequence[Json], clinic: Clinic) -> Attendances:
    """All attendees of a page of groups. Raises a ClinikoError."""
    by_id = _by_id(groups)
    attendees, complete = await _all("attendees", "booking_id", by_id, ATTENDEE_FILTERS, clinic)
    rows = []
    for attendee in attendees:
        booking = booking_of(attendee)
        if booking is None or booking.id in by_id:
            rows.append(joined(attendee, by_id[booking.id] if booking else None))
    return Attendances(rows, complete and len(by_id) == len(groups), attendees)


async def attendances_for(attendees: Sequence[Json], clinic: Clinic) -> Attendances:
    """Those of a page of attendees who attend a group, whose group is fetched. Raises a ClinikoError."""
    bookings = [booking_of(attendee) for attendee in attendees]
    wanted = {one.id for one in bookings if one and one.kind != "individual_appointments"}
    groups, complete = await _all("group_appointments", "id", wanted, GROUP_FILTERS, clinic)
    by_id = _by_id(groups)
    rows = []
    for attendee, booking in zip(attendees, bookings, strict=True):
        if booking is None or booking.id in by_id or booking.kind == "group_appointments":
            rows.append(joined(attendee, by_id.get(booking.id) if booking else None))
    return Attendances(rows, complete)


async def _all(
    path: str, column: str, ids: Iterable[str], filters: Sequence[str], clinic: Clinic
) -> tuple[list[Json], bool]:
    """Every row whose column is one of these ids, at most a page of them; and whether that is all Cliniko counts."""
    if not (listed := ",".join(sorted(ids))):
        return [], True
    found: dict[str, Json] = {}
    for _ in range(READINGS):
        rows, total = await _read(path, (f"{column}:={listed}", *filters), clinic)
        found |= rows
        if len(found) >= total:
            return list(found.values()), True
    return list(found.values()), False


async def _read(path: str, filters: Sequence[str], clinic: Clinic) -> tuple[dict[str, Json], int]:
    """Page after page, until one brings nothing new. The rows, and the newest total."""
    found: dict[str, Json] = {}
    number, grown = 0, True
    while grown:
        number += 1
        page = await clinic.page(path, filters, number)
        before = len(found)
        found |= _by_id(page.rows)
        grown = len(found) > before and page.continues(number)
    return found, page.total


def _by_id(rows: Iterable[Json]) -> dict[str, Json]:
    return {row_id: row for row in rows if (row_id := identity(row))}
