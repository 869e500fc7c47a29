"""How fast records go into a service: pages as the sync sends them, through the service's own consumers.

The broker is left out: so many pages are at hand as the service would fetch, of several clinics in turn.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from chassis.consumers import Consumers
from chassis.database import Database
from chassis.gathering import Gathering
from chassis.messaging import PREFETCH, SECONDS_APART
from contracts.base import Event
from contracts.events import AppointmentsSynced, PatientsSynced
from contracts.records import AppointmentRecord, PatientRecord, PhoneNumber
from read_clinics import Clinic
from read_loading import closing_run, hear

CLINICS = [Clinic(number, 2_500) for number in range(5_001, 5_005)]
APPOINTMENTS_EACH, PAGE = 5, 100
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Applied:
    """Records and seconds by kind, and the seconds of the runs' last events, which bring what is read up to date."""

    patients: int
    patients_seconds: float
    appointments: int
    appointments_seconds: float
    closing_seconds: float

    @property
    def per_second(self) -> float:
        """All records over all the time."""
        seconds = self.patients_seconds + self.appointments_seconds + self.closing_seconds
        return (self.patients + self.appointments) / seconds


async def apply(consumers: Consumers, database: Database) -> Applied:
    """First syncs of several clinics at once."""
    seconds, records = [], []
    for pages in (_patient_pages(), _appointment_pages()):
        bodies = [page.model_dump_json().encode() for page in pages]
        started = time.perf_counter()
        await _deliver(bodies, type(pages[0]), consumers, database)
        seconds.append(time.perf_counter() - started)
        records.append(sum(len(page.records) for page in pages))
    started = time.perf_counter()
    closing = [closing_run(clinic.organization_id, clinic.patients, NOON) for clinic in CLINICS]
    await asyncio.gather(*(hear(consumers, event, database) for event in closing))
    return Applied(records[0], seconds[0], records[1], seconds[1], time.perf_counter() - started)


async def _deliver(bodies: Sequence[bytes], event: type[Event], consumers: Consumers, database: Database) -> None:
    """Gathered by organization as `chassis.messaging` does it."""
    subscription = next(one for one in consumers.subscriptions if one.event is event)
    commit = partial(consumers.commit_each, subscription, database=database)
    gatherings: dict[str, Gathering[Event, Exception | None]] = defaultdict(
        lambda: Gathering(commit, apart=SECONDS_APART)
    )
    waiting = iter(bodies)

    async def work() -> None:
        for body in waiting:
            page = consumers.read(subscription, body)
            failure = page and await gatherings[page.organization_id].join(page)
            if failure:
                raise failure

    await asyncio.gather(*(work() for _ in range(PREFETCH)))


def _patient_pages() -> list[PatientsSynced]:
    return [
        PatientsSynced(
            organization_id=clinic.organization_id,
            sync_id=closing_run(clinic.organization_id, 0, NOON).sync_id,
            records=tuple(_patient(number) for number in range(start, start + PAGE)),
        )
        for start in range(0, CLINICS[0].patients, PAGE)
        for clinic in CLINICS
    ]


def _appointment_pages() -> list[AppointmentsSynced]:
    return [
        AppointmentsSynced(
            organization_id=clinic.organization_id,
            sync_id=closing_run(clinic.organization_id, 0, NOON).sync_id,
            records=tuple(_appointment(number) for number in range(start, start + PAGE)),
        )
        for start in range(0, CLINICS[0].patients * APPOINTMENTS_EACH, PAGE)
        for clinic in CLINICS
    ]


def _patient(number: int) -> PatientRecord:
    return PatientRecord(
        cliniko_patient_id=str(number),
        first_name="Ada",
        last_name=f"Example {number}",
        email=f"ada{number}@example.com",
        phone_numbers=(PhoneNumber(type="Mobile", number=f"0412 {number:06}"),),
        created_at=NOON - timedelta(days=900),
        updated_at=NOON,
        sequence=1,
    )


def _appointment(number: int) -> AppointmentRecord:
    starts_at = NOON + timedelta(hours=200 - number * 7 % 20_000)
    return AppointmentRecord(
        cliniko_appointment_id=str(number),
        cliniko_patient_id=str(number // APPOINTMENTS_EACH),
        appointment_type_id=str(1 + number % 8),
        practitioner_id=str(1 + number % 12),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=45),
        notes="Range of movement better, exercises as before, two weeks",
        created_at=NOON - timedelta(days=900),
        updated_at=NOON,
        sequence=1,
    )
