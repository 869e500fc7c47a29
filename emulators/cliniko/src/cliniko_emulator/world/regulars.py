"""Fills a clinic's diary up to a wanted number of appointments, for measurements."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from cliniko_emulator.records import Appointment, Patient
from cliniko_emulator.world.ids import DAY, Ids

_WEEK = 7 * DAY
_MOST_WEEKS_EARLIER = 200


def earlier_visits(
    rng: Random, patients: Sequence[Patient], appointments: Sequence[Appointment], ids: Ids, *, wanted: int, anchor: int
) -> list[Appointment]:
    """Visits like those that took place, some weeks before them: nobody becomes active who was not.

    A patient whose first visit moves back has been known for longer.
    """
    held = [one for one in appointments if one.ends_at < anchor and one.cancelled_at is None]
    known = {patient.id: patient for patient in patients}
    made = []
    for _ in range(wanted - len(appointments) if held else 0):
        visit = rng.choice(held)
        back = rng.randrange(1, _MOST_WEEKS_EARLIER) * _WEEK
        stamps = {name: getattr(visit, name) - back for name in ("created_at", "updated_at", "starts_at", "ends_at")}
        made.append(
            replace(
                visit, id=ids.issue(back // DAY), repeated_from_id=None, archived_at=None, deleted_at=None, **stamps
            )
        )
        patient = known[visit.patient_id or 0]
        patient.created_at = min(patient.created_at, stamps["created_at"])
    return made
