"""An asker who has the answer already is told so; never that it is unchanged when it is not."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic
from services.patients.tests.random_history import random_history

from contracts.base import Event

INSTANT, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)
PATHS = (
    "patients",
    "patients/with-appointments",
    "patients/by-appointment-type/Physio",
    "patients/appointment-types/summary",
    "active/summary",
)


@pytest.fixture
async def one(clinic: Clinic) -> Clinic:
    """One patient who was here and comes back, and one who is not active."""
    await clinic.hears(
        clinic.page(clinic.type(7, "Physio")),
        clinic.page(clinic.patient(1), clinic.patient(2)),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7")),
        clinic.page(clinic.appointment(2, 1, NOON - 29 * DAY, appointment_type_id="7")),
        clinic.run(NOON - DAY),
    )
    return clinic


async def tag(clinic: Clinic, path: str, **parameters: Any) -> str:
    etag: str = (await clinic.read(path, **parameters)).headers["etag"]
    return etag


async def status(clinic: Clinic, path: str, etag: str, **parameters: Any) -> int:
    return (await clinic.read(path, {"if-none-match": etag}, **parameters)).status_code


@pytest.mark.parametrize("path", PATHS)
async def test_what_has_not_changed_is_not_sent_again(one: Clinic, path: str) -> None:
    first = await one.read(path)
    one.now += timedelta(seconds=1)
    again = await one.read(path, {"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["last-modified"] == again.headers["last-modified"] == "Sun, 29 Jun 2025 12:00:00 GMT"


@pytest.mark.parametrize("path", PATHS)
async def test_whatever_changes_the_answer_changes_its_validator(one: Clinic, path: str) -> None:
    changes: Sequence[Event | timedelta] = (
        one.page(one.patient(1, first_name="Ada")),
        one.page(one.appointment(1, 1, NOON + 2 * HOUR, appointment_type_id="7")),
        one.page(one.type(7, "Physiotherapy")),
        one.run(NOON - HOUR),
        2 * HOUR,  # the next appointment begins
        DAY,  # a recent one is thirty days old
        one.page(one.appointment(1, 1, NOON + 2 * HOUR, cancelled_at=NOON)),
        one.removed(patient=1),
    )
    for change in changes:
        etag = await tag(one, path)
        if isinstance(change, timedelta):
            one.now += change + INSTANT
        else:
            await one.hears(change)
        assert await status(one, path, etag) == 200, change


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("seed", range(2))
async def test_two_answers_with_one_validator_say_the_same(clinic: Clinic, seed: int, path: str) -> None:
    random, said = Random(seed), dict[str, Any]()
    for event in random_history(random, clinic, patients=6, appointments=24):
        await clinic.hears(event)
        for later in (timedelta(0), random.choice([timedelta(0), MINUTE / 2, HOUR, DAY])):
            clinic.now += later
            response = await clinic.read(path)
            answer = {**response.json(), "timestamp": None}
            assert said.setdefault(response.headers["etag"], answer) == answer


@pytest.mark.parametrize("edge", [timedelta(hours=24), timedelta(hours=72), timedelta(hours=5.05)])
async def test_an_urgency_is_never_said_to_be_unchanged_when_it_has_changed(one: Clinic, edge: timedelta) -> None:
    begins = NOON + 9 * DAY
    await one.hears(one.page(one.appointment(1, 1, begins)))
    one.now = begins - edge - INSTANT
    before = await one.read("patients/with-appointments")
    one.now += 2 * INSTANT
    after = await one.read("patients/with-appointments", {"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["patients"] != before.json()["patients"]


async def test_the_plain_list_stays_unchanged_while_nothing_happens_to_a_patient(one: Clinic) -> None:
    etag = await tag(one, "patients")
    one.now += HOUR - INSTANT
    assert await status(one, "patients", etag) == 304


async def test_a_validator_fits_its_own_address_form_and_asker_only(one: Clinic) -> None:
    etag = await tag(one, "patients")
    assert await status(one, "patients", etag) == 304
    assert await status(one, "patients", etag, active="all") == 200
    csv = await one.read("patients", {"accept": "text/csv", "if-none-match": etag})
    assert (csv.status_code, csv.headers["vary"]) == (200, "Accept")
    one.user_id = "user_2"
    assert await status(one, "patients", etag) == 200


@pytest.mark.parametrize("named", ["", '"', "W/", 'W/""', "nonsense", '"\\"'])
async def test_a_validator_nobody_gave_out_is_ignored(one: Clinic, named: str) -> None:
    assert await status(one, "patients", named) == 200


async def test_any_answer_will_do_for_an_asterisk(one: Clinic) -> None:
    assert await status(one, "patients", "*") == 304


async def test_before_the_first_sync_nothing_is_said_of_the_datas_age(clinic: Clinic) -> None:
    for path in PATHS:
        assert "last-modified" not in (await clinic.read(path)).headers


async def test_a_change_that_is_not_committed_yet_gets_a_validator_of_its_own(one: Clinic) -> None:
    """Its row in `changes` is older than one that was committed before it."""
    later = one.page(one.patient(2, first_name="Later"))
    async with one.database.transaction(one.organization_id) as connection:
        await connection.exec_driver_sql("DELETE FROM patient_documents WHERE cliniko_patient_id = '1'")
        await one.hears(later)
        etag = await tag(one, "patients", active="all")
    assert await status(one, "patients", etag, active="all") == 200
