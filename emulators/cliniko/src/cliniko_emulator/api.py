"""Cliniko's routes: lists, records by id, the key's user, and the public settings."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from cliniko_emulator import profile, query
from cliniko_emulator.answers import JSON, Answer, as_json, no_such_record, no_such_route
from cliniko_emulator.call import Call
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.filters import parse
from cliniko_emulator.resource import Resource
from cliniko_emulator.resources import (
    APPOINTMENT_TYPES,
    ATTENDEES,
    BOOKINGS,
    ERASED_PATIENTS,
    GROUP_APPOINTMENTS,
    INDIVIDUAL_APPOINTMENTS,
    PATIENTS,
    PRACTITIONERS,
    RESOURCES,
)
from cliniko_emulator.shape import HERE
from cliniko_emulator.switches import Switches

_ARCHIVED, _CANCELLED, _DELETED = ("archived_at:?",), ("cancelled_at:?",), ("deleted_at:?",)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list's rows meet its own conditions beside those of the request."""

    resource: Resource
    scope: tuple[str, ...] = ()


_BY_NAME = {resource.name: resource for resource in (*RESOURCES, BOOKINGS)}
_LISTS = {
    **{name: Listing(resource) for name, resource in _BY_NAME.items()},
    "practitioners": Listing(PRACTITIONERS, ("active:=true",)),
    "practitioners/inactive": Listing(PRACTITIONERS, ("active:=false",)),
}
_LEGACY_LISTS = {
    "appointment_types/archived": Listing(APPOINTMENT_TYPES, _ARCHIVED),
    "attendees/cancelled": Listing(ATTENDEES, _CANCELLED),
    "attendees/deleted": Listing(ATTENDEES, _DELETED),
    "group_appointments/deleted": Listing(GROUP_APPOINTMENTS, _DELETED),
    "individual_appointments/cancelled": Listing(INDIVIDUAL_APPOINTMENTS, _CANCELLED),
    "individual_appointments/deleted": Listing(INDIVIDUAL_APPOINTMENTS, _DELETED),
    "patients/archived": Listing(PATIENTS, _ARCHIVED),
    "patients/deleted": Listing(ERASED_PATIENTS),
}


def respond(call: Call, clinic: Clinic, switches: Switches) -> Answer:
    """Raises QueryError for a query string that Cliniko refuses."""
    if call.method != "GET":
        return no_such_route()
    listing = _LISTS.get(call.path) or (_LEGACY_LISTS.get(call.path) if switches.legacy_routes else None)
    if listing is not None:
        return _list(listing, call, clinic, switches)
    match call.path.split("/"):
        case ["user"]:
            return as_json(profile.user(clinic, call.base))
        case ["settings", "public"]:
            return as_json(profile.public_settings(clinic))
        case [name, record_id] if name in _BY_NAME:
            return _record(_BY_NAME[name], record_id, call, clinic)
        case ["individual_appointments" | "group_appointments", booking, "attendees"] if _id(booking):
            return _list(Listing(ATTENDEES, (f"booking_id:={booking}",)), call, clinic, switches)
    return no_such_route()


def _list(listing: Listing, call: Call, clinic: Clinic, switches: Switches) -> Answer:
    resource, parameters = listing.resource, call.parameters
    scope = [parse(text, resource.columns) for text in listing.scope]
    conditions = query.list_conditions(resource, parameters, scope)
    found = resource.table(clinic).select(conditions, query.sort(resource, parameters, by_id=switches.sort_by_id))
    page = query.page(parameters, refuse_large=switches.per_page_over_100 == "refuse")
    records = resource.write(found.page(page.start, page.size), clinic)
    links = page.links(f"{call.base}/{call.path}", parameters, found.total)
    tail = f'],"total_entries":{found.total},"links":{json.dumps(links)}}}'
    return _json(call, (f'{{"{resource.name}":['.encode(), b",".join(records), tail.encode()))


def _record(resource: Resource, record_id: str, call: Call, clinic: Clinic) -> Answer:
    conditions = query.record_conditions(resource, call.parameters)
    record = resource.table(clinic).get(_id(record_id))
    shown = record is not None and all(
        condition.test is None or condition.test(getattr(record, condition.column)) for condition in conditions
    )
    return _json(call, resource.write([record], clinic)) if shown else no_such_record()


def _json(call: Call, parts: Iterable[bytes]) -> Answer:
    return Answer(200, b"".join(parts).replace(HERE.encode(), call.base.encode()), JSON)


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
