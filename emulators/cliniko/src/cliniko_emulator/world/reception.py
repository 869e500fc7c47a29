"""Takes in the patients: who they are, their visits, and since when the clinic knows them."""

from dataclasses import dataclass
from datetime import date
from random import Random

from cliniko_emulator.records import Appointment, Patient
from cliniko_emulator.world.appointments import Diary, Fate, Visit, draw_fate
from cliniko_emulator.world.courses import Life, visit_days
from cliniko_emulator.world.ids import DAY, OPENED_DAYS_AGO, Ids
from cliniko_emulator.world.people import People
from cliniko_emulator.world.staff import Staff

# A finished patient's cancelled visit around today: it must not make the patient active.
_CANCELLED_LATELY = 0.03
_RECENT_DAYS = 28
_CHANGED_SINCE, _IN_CAMPAIGN = 0.3, 0.05
_CAMPAIGN_DAYS_AGO = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    seed: int
    people: People
    staff: Staff
    ids: Ids
    today: date
    anchor: int

    def take_in(self, number: int, life: Life) -> tuple[Patient, list[Appointment]]:
        """Each patient has dice of their own, so that what happens to one never changes another."""
        dice = Random(f"{self.seed}:{number}")
        patient = self.people.patient(dice, self.today)
        known_days_ago = dice.randrange(1, OPENED_DAYS_AGO - 100)
        visits = _visits(dice, life)
        booked = Diary(dice, self.staff, self.people.place, self.ids, self.today, self.anchor).book(visits)
        patient.id = self.ids.issue(max(1, -visits[0].day) if visits else known_days_ago)
        for appointment in booked:
            appointment.patient_id = patient.id
        if booked:
            patient.latest_booking_id = max(booked, key=lambda one: one.starts_at).id
        first = min((one.created_at for one in booked), default=self.anchor - known_days_ago * DAY)
        patient.created_at = patient.updated_at = first - dice.randrange(3_600)
        self._change(patient, dice)
        return patient, booked

    def _change(self, patient: Patient, dice: Random) -> None:
        campaign = self.anchor - _CAMPAIGN_DAYS_AGO * DAY
        if dice.random() < _IN_CAMPAIGN and patient.created_at < campaign:
            # A campaign for consent touched many patients within one second.
            patient.updated_at, patient.accepted_privacy_policy = campaign, True
        elif dice.random() < _CHANGED_SINCE:
            patient.updated_at = dice.randint(int(patient.created_at), self.anchor)


def _visits(dice: Random, life: Life) -> list[Visit]:
    visits = [Visit(day, draw_fate(dice)) for day in visit_days(dice, life)]
    if life.active:
        return _keep_one(visits)
    if life is Life.FINISHED and dice.random() < _CANCELLED_LATELY:
        visits.append(Visit(dice.randint(-20, 14), Fate.CANCELLED))
    return visits


def _keep_one(visits: list[Visit]) -> list[Visit]:
    """Whoever is in treatment has a recent or coming visit that is not cancelled, archived or deleted."""
    current = [visit for visit in visits if visit.day >= -_RECENT_DAYS]
    if any(visit.fate in {Fate.KEPT, Fate.MISSED} for visit in current):
        return visits
    return [visit._replace(fate=Fate.KEPT) if visit == current[-1] else visit for visit in visits]
