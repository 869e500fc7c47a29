"""A walk through a list, page by page, while its patients come, go and move."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic, apply
from sqlalchemy import text

from contracts.base import Event
from patients import handlers
from patients.adapters.tenant import Tenant

COUNT = 24


def life(random: Random, clinic: Clinic, appointments: "list[int]") -> Event:
    """Something that happens to a clinic, more often than not to a patient who is listed."""
    number = random.randrange(COUNT)
    starts_at = NOON + random.randint(-20, 20) * DAY
    appointments.append(1000 + len(appointments))
    happenings: list[Callable[[], Event]] = [
        lambda: clinic.page(clinic.patient(number, first_name=random.choice("abcxyz"))),
        lambda: clinic.page(clinic.patient(COUNT + random.randrange(COUNT), first_name="New")),
        lambda: clinic.page(clinic.patient(number, archived_at=NOON)),
        lambda: clinic.page(clinic.appointment(appointments[-1], number, starts_at)),
        lambda: clinic.page(clinic.appointment(number, number, starts_at, cancelled_at=NOON)),
        lambda: clinic.removed(patient=number),
        lambda: clinic.removed(appointment=random.choice(appointments)),
    ]
    return random.choice(happenings)()


async def everybody(clinic: Clinic, active: str) -> list[str]:
    return [patient["id"] for patient in await clinic.listed(active=active, limit=1000)]


@pytest.mark.parametrize("active", ["true", "all"])
@pytest.mark.parametrize("seed", range(8))
async def test_whoever_is_there_all_along_is_seen_once_and_in_their_first_place(
    clinic: Clinic, seed: int, active: str
) -> None:
    random, appointments = Random(seed), [999]
    await clinic.hears(
        clinic.page(*(clinic.patient(number, first_name=random.choice("mno")) for number in range(COUNT))),
        clinic.page(*(clinic.appointment(n, n, NOON + random.choice([-9, -1, 0, 1, 2]) * DAY) for n in range(COUNT))),
    )
    first = await everybody(clinic, active)
    there, seen, cursor = set(first), [], ""
    while cursor is not None:
        answer = await clinic.get("patients", active=active, limit=5, **({"cursor": cursor} if cursor else {}))
        seen += [patient["id"] for patient in answer["patients"]]
        cursor = answer["next_cursor"]
        for _ in range(3):
            await clinic.hears(life(random, clinic, appointments))
            there &= set(await everybody(clinic, active))
        clinic.now += random.choice([timedelta(0), HOUR / 20])
        there &= set(await everybody(clinic, active))
    assert [one for one in seen if one in there] == [one for one in first if one in there]
    assert len(there) > COUNT / 4


async def test_a_move_that_was_not_committed_when_the_walk_began_is_a_move_since(clinic: Clinic) -> None:
    await clinic.hears(
        clinic.page(*(clinic.patient(number, first_name=name) for number, name in enumerate("abcd"))),
    )
    await clinic.listed()  # makes the documents: a reader would wait for who marks them again
    async with clinic.database.transaction(clinic.organization_id) as connection:
        tenant = Tenant(connection, clinic.organization_id)
        await apply(clinic.page(clinic.patient(0, first_name="y"), clinic.patient(3, first_name="A")), tenant, NOON)
        await handlers.examine(tenant, NOON)
        begun = await clinic.get("patients", active="all", limit=2)
    ended = await clinic.get("patients", active="all", limit=4, cursor=begun["next_cursor"])
    assert [names(answer) for answer in (begun, ended)] == [["a", "b"], ["c", "A"]]
    assert names(await clinic.get("patients", active="all")) == ["A", "b", "c", "y"]


async def test_what_the_first_page_itself_brought_up_to_date_is_no_move_since(clinic: Clinic) -> None:
    await clinic.hears(
        clinic.page(*(clinic.patient(number) for number in (1, 2, 3))),
        clinic.page(*(clinic.appointment(number, number, NOON + number * HOUR) for number in (1, 2, 3))),
    )
    clinic.now = NOON + 1.5 * HOUR  # the first one's appointment has begun
    begun = await clinic.get("patients", limit=1)
    ended = await clinic.get("patients", cursor=begun["next_cursor"])
    assert names(begun) + names(ended) == ["Patient 2", "Patient 3", "Patient 1"]


async def test_a_walk_of_more_than_an_hour_is_to_begin_again(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.patient(1), clinic.patient(2)))
    begun = await clinic.get("patients", active="all", limit=1)
    clinic.now += HOUR + timedelta(seconds=1)
    path = f"/api/v1/patients/{clinic.organization_id}/patients"
    refused = await clinic.request(path, cursor=begun["next_cursor"])
    assert refused.status_code == 400
    assert "begin again" in refused.json()["detail"]


async def test_tidying_keeps_places_for_two_hours_and_the_sum_of_changes(clinic: Clinic) -> None:
    left = text("SELECT (SELECT count(*) FROM former_places), sum(weight), count(*) FROM changes")
    await clinic.hears(*(clinic.page(clinic.patient(1, first_name=name)) for name in "ab"))
    await clinic.listed()
    await clinic.hears(clinic.page(clinic.patient(1, first_name="c")))
    await clinic.listed()
    counts = []
    for old in ("1 hour", "3 hours"):
        async with clinic.database.transaction(clinic.organization_id) as connection:
            await connection.execute(text(f"UPDATE former_places SET moved_at = now() - interval '{old}'"))
            before = (await connection.execute(left)).one()
        await handlers.tidy(clinic.database)
        async with clinic.database.transaction(clinic.organization_id) as connection:
            after = (await connection.execute(left)).one()
        assert (after[1], after[2]) == (before[1], 1)
        counts.append((before[0] > 0, after[0] > 0))
    assert counts == [(True, True), (True, False)]


def names(answer: dict[str, Any]) -> list[str]:
    return [patient["name"] for patient in answer["patients"]]
