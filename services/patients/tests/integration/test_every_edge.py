"""The clock goes over every edge there is, in sessions whose time zone changes its clocks meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg
import pytest
from services.patients.tests.clinic import DAY, Clinic, opened_clinic
from services.patients.tests.integration.conftest import Server
from services.patients.tests.random_history import random_history
from services.patients.tests.slow import History
from sqlalchemy import text
from sqlalchemy.engine import make_url

from contracts.base import Event
from contracts.events import AppointmentsSynced

INSTANT = timedelta(microseconds=1)
CHANGES_OF_THE_CLOCK = {
    "Australia/Sydney": datetime(2025, 10, 4, 16, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2025, 4, 5, 15, tzinfo=UTC),  # by half an hour
    "America/New_York": datetime(2025, 11, 2, 6, tzinfo=UTC),
}


@pytest.fixture(params=CHANGES_OF_THE_CLOCK)
async def abroad(
    request: pytest.FixtureRequest, new_database: Callable[[str], Awaitable[str]], postgres: Server
) -> AsyncIterator[tuple[Clinic, datetime]]:
    """A clinic whose database keeps the time of a place, and the moment at which clocks change there."""
    url = await new_database("patients")
    owner = await asyncpg.connect(postgres.url)
    await owner.execute(f"ALTER DATABASE {make_url(url).database} SET timezone TO '{request.param}'")
    await owner.close()
    async with opened_clinic(url) as clinic:
        async with clinic.database.transaction() as connection:
            assert await connection.scalar(text("SHOW timezone")) == request.param
        yield clinic, CHANGES_OF_THE_CLOCK[request.param]


@pytest.mark.parametrize("seed", range(3))
async def test_on_both_sides_of_every_edge_the_list_is_what_a_slow_computation_gives(
    abroad: tuple[Clinic, datetime], seed: int
) -> None:
    clinic, change = abroad
    random = Random(seed)
    clinic.now = change - 65 * DAY
    coming = random_history(random, clinic, patients=6, appointments=14, around=change)
    coming += [cancellation(random, clinic, coming) for _ in range(3)]
    random.shuffle(coming)
    heard: list[Event] = []
    for moment in moments(coming, change):
        if coming and random.random() < 0.3:
            heard.append(coming.pop())
            await clinic.hears(heard[-1])
        clinic.now = moment
        answer = await clinic.get("patients", active="all")
        assert answer["patients"] == (History(heard).patient_list(moment, "all") if heard else [])
    assert len(heard) > 10


def moments(events: list[Event], change: datetime) -> list[datetime]:
    """Just before, at and just after each moment at which an appointment starts or is a month old, in their order."""
    pages = [event for event in events if isinstance(event, AppointmentsSynced)]
    starts = {record.starts_at for page in pages for record in page.records}
    edges = {change, *starts, *(start + 30 * DAY for start in starts)}
    return sorted({edge + step for edge in edges for step in (-INSTANT, timedelta(0), INSTANT)})


def cancellation(random: Random, clinic: Clinic, events: list[Event]) -> Event:
    """Of one of the appointments, which may be over by then, or not have been heard of."""
    pages = [event for event in events if isinstance(event, AppointmentsSynced)]
    known = random.choice(random.choice(pages).records)
    number, patient = int(known.cliniko_appointment_id), int(known.cliniko_patient_id)
    return clinic.page(clinic.appointment(number, patient, known.starts_at, cancelled_at=clinic.now))
