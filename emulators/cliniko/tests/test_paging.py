from itertools import pairwise
from typing import Any

import httpx
import pytest

EVERYTHING = {
    "patients": ["archived_at:*"],
    "individual_appointments": ["archived_at:*", "cancelled_at:*", "deleted_at:*"],
    "appointment_types": ["archived_at:*"],
    "practitioners": [],
    "businesses": ["archived_at:*", "deleted_at:*"],
}


def walk(client: httpx.Client, path: str, **parameters: Any) -> tuple[list[dict[str, Any]], int]:
    """Every record, by following the links, and what the last page says the total is."""
    answer = client.get(path, params=parameters).raise_for_status().json()
    key = path.strip("/").split("/")[0]
    found = answer[key]
    while url := answer["links"].get("next"):
        answer = client.get(url).raise_for_status().json()
        found += answer[key]
    return found, answer["total_entries"]


@pytest.mark.parametrize("resource", EVERYTHING)
@pytest.mark.parametrize("lifted", [True, False])
def test_following_the_links_gives_every_record_once(harbour: httpx.Client, resource: str, lifted: bool) -> None:
    filters = {"q[]": EVERYTHING[resource]} if lifted else {}
    found, total = walk(harbour, f"/{resource}", per_page=37, **filters)
    assert len(found) == total > 0
    assert len({record["id"] for record in found}) == total


def test_inactive_practitioners_have_a_list_of_their_own(harbour: httpx.Client) -> None:
    active, _ = walk(harbour, "/practitioners")
    inactive, total = walk(harbour, "/practitioners/inactive")
    assert total == len(inactive) == 1
    assert [one["active"] for one in active + inactive] == [True] * len(active) + [False]


def test_links_keep_filters_order_and_size_and_lead_to_the_host_that_was_asked(harbour: httpx.Client) -> None:
    asked = {"q[]": ["archived_at:*", "id:>0"], "sort": "id:desc", "per_page": "10", "page": "2", "unknown": "x"}
    links = harbour.get("/patients", params=asked).json()["links"]
    assert set(links) == {"self", "next", "previous"}
    following = httpx.URL(links["next"])
    assert str(following).startswith(str(harbour.base_url))
    assert following.params.get_list("q[]") == ["archived_at:*", "id:>0"]
    kept = {name: following.params[name] for name in following.params if name != "q[]"}
    assert kept == {"sort": "id:desc", "per_page": "10", "page": "3"}


def test_the_first_page_has_no_previous_and_the_last_no_next(harbour: httpx.Client) -> None:
    first = harbour.get("/patients").json()
    last_page = -(-first["total_entries"] // 50)
    last = harbour.get("/patients", params={"page": last_page}).json()
    assert "previous" not in first["links"]
    assert "next" not in last["links"]
    assert len(first["patients"]) == 50
    assert len(last["patients"]) == first["total_entries"] - 50 * (last_page - 1)


def test_a_page_past_the_end_is_empty(harbour: httpx.Client) -> None:
    answer = harbour.get("/patients", params={"page": 1000}).json()
    assert answer["patients"] == []
    assert "next" not in answer["links"]


@pytest.mark.parametrize(("asked", "given"), [("1000", 100), ("100", 100), ("7", 7), ("0", 1), ("-3", 1), ("x", 50)])
def test_per_page_stays_within_one_and_a_hundred(harbour: httpx.Client, asked: str, given: int) -> None:
    assert len(harbour.get("/patients", params={"per_page": asked}).json()["patients"]) == given


def test_the_default_order_is_by_creation(harbour: httpx.Client) -> None:
    created = [patient["created_at"] for patient in walk(harbour, "/patients")[0]]
    assert created == sorted(created)


@pytest.mark.parametrize(
    "parameters",
    [
        {"sort": "updated_at:desc,id:asc"},
        {"sort": "updated_at,id:asc", "order": "desc"},
    ],
)
def test_several_columns_sort_each_in_its_direction(harbour: httpx.Client, parameters: dict[str, str]) -> None:
    found, _ = walk(harbour, "/patients", **parameters)
    seconds = {patient["updated_at"] for patient in found}
    assert len(seconds) < len(found), "some rows share a second, or the second column is not tried"
    for before, after in pairwise(found):
        assert before["updated_at"] >= after["updated_at"]
        if before["updated_at"] == after["updated_at"]:
            assert int(before["id"]) < int(after["id"])


@pytest.mark.parametrize(("order", "nulls_come"), [("asc", "last"), ("desc", "first")])
def test_null_sorts_as_the_largest_value(harbour: httpx.Client, order: str, nulls_come: str) -> None:
    found, _ = walk(harbour, "/patients", **{"q[]": "archived_at:*", "sort": f"archived_at:{order}"})
    held = [patient["archived_at"] is None for patient in found]
    assert held == sorted(held, reverse=nulls_come == "first")
    assert 0 < sum(held) < len(held)
