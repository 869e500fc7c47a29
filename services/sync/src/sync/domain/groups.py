"""Group appointments: each attendee has an appointment, of which the group says when, what and with whom."""

from typing import NamedTuple

from contracts.base import Instant, Message
from contracts.records import AppointmentRecord
from sync.domain.clinic import Json
from sync.domain.values import common, identity, is_id, link_path, linked, text, yes


class Booking(NamedTuple):
    """Where an attendee's link leads: `bookings` is any kind, and has the id of the group or individual appointment."""

    kind: str
    id: str


class GroupMissing(LookupError):
    """The attendee belongs to a group that Cliniko does not show."""


class _Changed(Message):
    updated_at: Instant


def attended(row: Json) -> AppointmentRecord:
    """An attendee `joined` to the group: the id, note, cancellation, arrival and archive state are the attendee's.

    A note the attendee has not got is the group's, and with the group all its appointments are deleted. Whichever of
    the two changed last gives the version, so a group that is moved moves what was landed of it.
    """
    attendee, group = row["attendee"], row["group"]
    if group is None:
        raise GroupMissing
    return AppointmentRecord.model_validate(
        {
            **common(attendee, "archived_at", "deleted_at", "cancelled_at"),
            "updated_at": max(_Changed.model_validate(each).updated_at for each in (attendee, group)),
            "deleted_at": attendee.get("deleted_at") or group.get("deleted_at") or None,
            "starts_at": group.get("starts_at"),
            "ends_at": group.get("ends_at") or None,
            "cliniko_appointment_id": identity(attendee),
            "cliniko_patient_id": linked(attendee, "patient"),
            "appointment_type_id": linked(group, "appointment_type"),
            "practitioner_id": linked(group, "practitioner"),
            "notes": text(attendee.get("notes")) or text(group.get("notes")),
            "patient_arrived": yes(attendee.get("arrived")),
        }
    )


def joined(attendee: Json, group: Json | None) -> Json:
    """The two as one row; without a group it is set aside when it is mapped."""
    return {"id": identity(attendee), "attendee": attendee, "group": group}


def booking_of(attendee: Json) -> Booking | None:
    """What is attended; None when the row does not tell."""
    try:
        kind, booking_id = link_path(attendee, "booking")[-2:]
    except (AttributeError, ValueError):  # no object, or a link of one part
        return None
    return Booking(kind, booking_id) if is_id(booking_id) else None
