"""One visit becomes one appointment: a slot in the clinic's working hours, and what came of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from random import Random
from typing import NamedTuple

from cliniko_emulator.records import Appointment, AppointmentType
from cliniko_emulator.world.ids import DAY, Ids
from cliniko_emulator.world.places import Place
from cliniko_emulator.world.staff import Staff


class Fate(Enum):
    KEPT = auto()
    CANCELLED = auto()
    MISSED = auto()
    ARCHIVED = auto()
    DELETED = auto()


_REASONS = {
    10: "Feeling Better",
    20: "Condition Worse",
    30: "Sick",
    31: "COVID-19 related",
    40: "Away",
    50: "Other",
    60: "Work",
}
_COMPLAINTS = ("Lower back pain", "Right shoulder stiffness", "Knee pain after running", "Neck tension", "Ankle sprain")
_FINDINGS = ("range of motion improved", "pain 3/10 at rest", "mild swelling remains", "strength 4+/5", "no red flags")
_PLANS = ("continue home exercises", "review in one week", "progress loading", "ice and rest", "letter to GP")
_BLANK_NOTES = (None, None, "")

_FATE_PER_MILLE = {Fate.KEPT: 870, Fate.CANCELLED: 80, Fate.MISSED: 40, Fate.ARCHIVED: 5, Fate.DELETED: 5}
# Before this many days ago the archived type and the inactive practitioner were still in use.
_OLD_STAFF_DAYS_AGO = 320
_TYPE_WEIGHTS = (4, 50, 12, 14, 10, 10)
_REPEATS = 0.1


class Visit(NamedTuple):
    """`day` counts from today."""

    day: int
    fate: Fate


def draw_fate(rng: Random) -> Fate:
    return rng.choices(tuple(_FATE_PER_MILLE), tuple(_FATE_PER_MILLE.values()))[0]


@dataclass(frozen=True, slots=True)
class Diary:
    """Books the visits of one patient as seen at `anchor`, when `today` began in UTC; no stamp is later."""

    rng: Random
    staff: Staff
    place: Place
    ids: Ids
    today: date
    anchor: int

    def book(self, visits: list[Visit]) -> list[Appointment]:
        """The patient, not yet named in them, has a regular practitioner and a regular business."""
        practitioner = self.rng.choice(self.staff.practitioners[:-1]).id
        business = self.rng.choice(self.staff.businesses).id
        booked: list[Appointment] = []
        for day, fate in visits:
            appointment = self._appointment(day, booked[-1] if booked else None)
            appointment.business_id = business
            appointment.practitioner_id = self._practitioner(day, practitioner)
            self._decide(appointment, fate)
            booked.append(appointment)
        return booked

    def _appointment(self, day: int, previous: Appointment | None) -> Appointment:
        rng = self.rng
        kind = self._type(day, first=previous is None)
        starts_at = self._slot(day)
        repeats = previous is not None and rng.random() < _REPEATS
        created_at = self._booked_at(starts_at, previous)
        return Appointment(
            id=self.ids.issue(max(1, -day)),
            created_at=created_at,
            updated_at=created_at,
            starts_at=starts_at,
            ends_at=starts_at + kind.duration_in_minutes * 60,
            appointment_type_id=kind.id,
            repeated_from_id=previous.id if previous and repeats else None,
            notes=self._notes() if rng.random() < 0.25 else rng.choice(_BLANK_NOTES),
        )

    def _slot(self, day: int) -> int:
        """A quarter of an hour between 8 and 18 o'clock, clinic time; a weekend's visit moves to the Monday."""
        date_ = self.today + timedelta(days=day)
        date_ += timedelta(days=7 - date_.weekday() if date_.weekday() > 4 else 0)
        quarter = self.rng.randrange(32, 72)
        local = datetime(date_.year, date_.month, date_.day, quarter // 4, quarter % 4 * 15, tzinfo=self.place.zone)
        return int(local.timestamp())

    def _booked_at(self, starts_at: int, previous: Appointment | None) -> int:
        """A series is often booked in one go, so its rows share a second."""
        rng = self.rng
        if previous is not None and rng.random() < 0.5:
            return int(previous.created_at)
        latest = min(starts_at - DAY, self.anchor - 3_600)
        return latest - rng.randrange(14 * DAY)

    def _type(self, day: int, *, first: bool) -> AppointmentType:
        types = self.staff.types
        if first:
            return types[0]
        if day < -_OLD_STAFF_DAYS_AGO and self.rng.random() < 0.08:
            return types[-1]
        return self.rng.choices(types[:-1], _TYPE_WEIGHTS)[0]

    def _practitioner(self, day: int, regular: int) -> int:
        if day < -_OLD_STAFF_DAYS_AGO and self.rng.random() < 0.15:
            return self.staff.practitioners[-1].id
        return regular if self.rng.random() < 0.85 else self.rng.choice(self.staff.practitioners[:-1]).id

    def _notes(self) -> str:
        rng = self.rng
        return f"{rng.choice(_COMPLAINTS)}, {rng.choice(_FINDINGS)}; {rng.choice(_PLANS)}."

    def _decide(self, appointment: Appointment, fate: Fate) -> None:
        over = appointment.ends_at < self.anchor
        appointment.sms_reminder_sent = appointment.starts_at < self.anchor + 2 * DAY
        match fate:
            case Fate.CANCELLED:
                self._cancel(appointment)
            case Fate.ARCHIVED:
                appointment.archived_at = appointment.updated_at = self._between(appointment.created_at, self.anchor)
            case Fate.DELETED:
                appointment.deleted_at = appointment.updated_at = self._between(appointment.created_at, self.anchor)
            case Fate.MISSED if over:
                appointment.did_not_arrive = True
                appointment.updated_at = appointment.starts_at + 1_200
            case _ if over:
                self._attend(appointment)

    def _cancel(self, appointment: Appointment) -> None:
        rng = self.rng
        reason = rng.choice(tuple(_REASONS))
        appointment.cancellation_reason = reason
        appointment.cancellation_reason_description = _REASONS[reason]
        appointment.cancellation_note = rng.choice((None, "", "Called the front desk"))
        latest = min(appointment.starts_at, self.anchor)
        appointment.cancelled_at = appointment.updated_at = self._between(appointment.created_at, latest)

    def _attend(self, appointment: Appointment) -> None:
        appointment.patient_arrived = True
        appointment.invoice_status = self.rng.choice((10, 20, 20, 20))
        appointment.treatment_note_status = self.rng.choice((10, 90, 90, None))
        appointment.updated_at = min(appointment.ends_at + self.rng.randrange(3_600), self.anchor)

    def _between(self, earliest: float, latest: float) -> int:
        return self.rng.randint(int(earliest), int(max(earliest, latest)))
