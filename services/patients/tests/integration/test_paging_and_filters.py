"""Which patients are listed, in which order, and a page at a time."""

from typing import Any

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic

from contracts.records import PhoneNumber


def names(patients: list[dict[str, Any]]) -> list[str]:
    return [patient["name"] for patient in patients]


async def walk(clinic: Clinic, **parameters: Any) -> list[dict[str, Any]]:
    """Every patient, by following `next_cursor`."""
    answer = await clinic.get("patients", **parameters)
    patients: list[dict[str, Any]] = answer["patients"]
    while answer["next_cursor"]:
        answer = await clinic.get("patients", cursor=answer["next_cursor"], **parameters)
        patients += answer["patients"]
    return patients


@pytest.fixture
async def six(clinic: Clinic) -> Clinic:
    """Six active patients in the order of their numbers, and one who is not."""
    await clinic.hears(
        clinic.page(
            clinic.patient(1, first_name="Soon"),
            clinic.patient(2, first_name="Later", email="Later@Example.com"),
            clinic.patient(3, first_name="Lately"),
            clinic.patient(4, first_name="A", last_name="Long ago"),
            clinic.patient(5, first_name="a", last_name="long before"),
            clinic.patient(6, first_name="É", phone_numbers=[PhoneNumber(type="Home", number="+61 412 345 678")]),
            clinic.patient(7, first_name="Inactive"),
        ),
        clinic.page(
            clinic.appointment(1, 1, NOON + HOUR),
            clinic.appointment(2, 2, NOON + DAY),
            clinic.appointment(3, 3, NOON - DAY),
            *(clinic.appointment(number, number, NOON - 9 * DAY) for number in (4, 5, 6)),
            clinic.appointment(7, 7, NOON - 99 * DAY),
        ),
    )
    return clinic


async def test_who_comes_next_leads_then_who_came_last_then_the_name(six: Clinic) -> None:
    answer = await six.get("patients")
    assert names(answer["patients"]) == ["Soon", "Later", "Lately", "A Long ago", "a long before", "É"]
    assert answer["total_count"] == 6


@pytest.mark.parametrize(("active", "count"), [("true", 6), ("false", 1), ("all", 7)])
async def test_active_chooses_who_is_listed(six: Clinic, active: str, count: int) -> None:
    answer = await six.get("patients", active=active)
    assert len(answer["patients"]) == answer["total_count"] == count


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
async def test_pages_joined_are_the_list(six: Clinic, limit: int) -> None:
    whole = await six.listed(active="all")
    assert await walk(six, active="all", limit=limit) == whole


async def test_every_page_states_the_number_that_match_and_the_last_has_no_cursor(six: Clinic) -> None:
    first = await six.get("patients", limit=4)
    last = await six.get("patients", limit=4, cursor=first["next_cursor"])
    assert (first["total_count"], last["total_count"]) == (6, 6)
    assert (len(first["patients"]), len(last["patients"])) == (4, 2)
    assert last["next_cursor"] is None


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("later", ["Later"]),
        ("LONG", ["A Long ago", "a long before"]),
        ("é", ["É"]),
        ("r@exam", ["Later"]),
        ("+61 (412) 345", ["É"]),
        ("412345678", ["É"]),
        ("%", []),
        ("_", []),
        ("a\0 long ago", ["A Long ago"]),
        (" ", ["Soon", "Later", "Lately", "A Long ago", "a long before", "É"]),
    ],
)
async def test_search_finds_a_part_of_a_name_an_address_or_a_number(six: Clinic, search: str, found: list[str]) -> None:
    answer = await six.get("patients", search=search)
    assert names(answer["patients"]) == found
    assert answer["total_count"] == len(found)


@pytest.mark.parametrize("gone", ["archived_at", "deleted_at", "merged_at"])
async def test_a_patient_who_is_gone_is_kept_but_not_listed(six: Clinic, gone: str) -> None:
    await six.hears(six.page(six.patient(1, first_name="Soon", **{gone: NOON})))
    assert "Soon" not in names(await six.listed(active="all"))
    await six.hears(six.page(six.patient(1, first_name="Soon")))
    assert names(await six.listed(limit=1)) == ["Soon"]


async def test_appointments_of_a_patient_nobody_has_told_of_list_nobody(clinic: Clinic) -> None:
    await clinic.hears(clinic.page(clinic.appointment(1, 1, NOON + HOUR)))
    assert await clinic.listed(active="all") == []


async def test_an_organization_without_records_is_an_empty_list(clinic: Clinic) -> None:
    answer = await clinic.get("patients")
    assert answer == {
        "organization_id": clinic.organization_id,
        "patients": [],
        "total_count": 0,
        "timestamp": "2025-06-30T12:00:00.000Z",
        "next_cursor": None,
    }


async def test_at_most_fifty_appointments_are_shown_and_all_are_counted(clinic: Clinic) -> None:
    starts = [NOON + hour * HOUR for hour in range(-60, 61)]
    await clinic.hears(
        clinic.page(clinic.patient(1)),
        clinic.page(*(clinic.appointment(number, 1, start) for number, start in enumerate(starts))),
    )
    (patient,) = await clinic.listed()
    assert (patient["recent_appointment_count"], patient["upcoming_appointment_count"]) == (61, 60)
    assert [one["id"] for one in patient["recent_appointments"]] == [str(number) for number in range(60, 10, -1)]
    assert [one["id"] for one in patient["upcoming_appointments"]] == [str(number) for number in range(61, 111)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"active": "maybe"},
        {"search": "x" * 101},
        {"cursor": ""},
        {"cursor": "é"},
        {"cursor": "bm90IHNlYWxlZA=="},
        {"cursor": "WzEsMiwiYSIsIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMCJd"},  # not sealed
    ],
)
async def test_a_parameter_out_of_range_is_a_bad_request_that_does_not_repeat_it(
    six: Clinic, wrong: dict[str, str]
) -> None:
    ((name, value),) = wrong.items()
    response = await six.request(f"/api/v1/patients/{six.organization_id}/patients", **wrong)
    problem = response.json()
    assert response.status_code == 400
    assert set(problem) == {"error", "detail", "timestamp", "path", "errors"}
    assert problem["errors"][0]["loc"] == ["query", name]
    assert len(value) < 5 or value not in response.text
