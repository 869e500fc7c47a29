"""Classes: group appointments every week, with an attendee for each patient who takes part."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from cliniko_emulator.records import AppointmentType, Attendee, GroupAppointment, Patient
from cliniko_emulator.world.ids import DAY, OPENED_DAYS_AGO, Ids
from cliniko_emulator.world.staff import Staff

_PATIENTS_PER_CLASS = 500
_FIRST_WEEK, _LAST_WEEK = -8, 2
_MOST_ATTENDEES = 6
_AN_HOUR = 3_600
# Of twenty attendees one cancels, and one stays away.
_FATES = ("cancelled", "missed", *["came"] * 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    kind: AppointmentType
    groups: list[GroupAppointment]
    attendees: list[Attendee]


def hold_classes(
    rng: Random, staff: Staff, ids: Ids, takers: Sequence[Patient], *, patients: int, anchor: int
) -> Classes:
    """`takers`: who may take part. The first class has nobody, the second was archived, the third deleted."""
    opened = anchor - OPENED_DAYS_AGO * DAY
    kind = AppointmentType(
        id=ids.issue(OPENED_DAYS_AGO),
        created_at=opened,
        updated_at=opened,
        name="Pilates Class",
        duration_in_minutes=60,
        max_attendees=8,
        color="#8E44AD",
    )
    groups = [
        _class(rng, staff, ids, kind, week=week, anchor=anchor)
        for week in range(_FIRST_WEEK, _LAST_WEEK + 1)
        for _ in range(1 + patients // _PATIENTS_PER_CLASS)
    ]
    attendees = [one for group in groups[1:] for one in _attendees(rng, ids, group, takers, anchor)]
    groups[1].archived_at = groups[1].updated_at = anchor - 3 * DAY
    groups[2].deleted_at = groups[2].updated_at = anchor - 2 * DAY
    return Classes(kind=kind, groups=groups, attendees=attendees)


def _class(rng: Random, staff: Staff, ids: Ids, kind: AppointmentType, *, week: int, anchor: int) -> GroupAppointment:
    starts_at = anchor + week * 7 * DAY + rng.randrange(5) * DAY + _AN_HOUR
    created_at = min(starts_at, anchor) - rng.randrange(DAY, 10 * DAY)
    return GroupAppointment(
        id=ids.issue(max(1, -7 * week)),
        created_at=created_at,
        updated_at=created_at,
        starts_at=starts_at,
        ends_at=starts_at + _AN_HOUR,
        appointment_type_id=kind.id,
        business_id=staff.businesses[0].id,
        practitioner_id=rng.choice(staff.practitioners[:-1]).id,
        notes=rng.choice((None, "", "Bring a mat.")),
    )


def _attendees(
    rng: Random, ids: Ids, group: GroupAppointment, takers: Sequence[Patient], anchor: int
) -> list[Attendee]:
    chosen = rng.sample(takers, min(len(takers), rng.randint(1, _MOST_ATTENDEES)))
    group.patient_ids = tuple(patient.id for patient in chosen)
    return [_attendee(rng, ids, group, patient, anchor) for patient in chosen]


def _attendee(rng: Random, ids: Ids, group: GroupAppointment, patient: Patient, anchor: int) -> Attendee:
    attendee = Attendee(
        id=ids.issue(max(1, int(anchor - group.starts_at) // DAY)),
        created_at=group.created_at,
        updated_at=group.created_at,
        booking_id=group.id,
        patient_id=patient.id,
        notes=rng.choice((None, "", "Knee: no jumps.")),
    )
    fate = rng.choice(_FATES)
    if fate == "cancelled":
        attendee.cancelled_at = attendee.updated_at = group.created_at + 600
        attendee.cancellation_reason, attendee.cancellation_reason_description = 40, "Away"
    elif fate == "came" and group.ends_at < anchor:
        attendee.arrived, attendee.updated_at = True, group.ends_at
    return attendee
