"""What Cliniko leaves undocumented stands as a switch."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "patients/archived",
        "patients/deleted",
        "individual_appointments/cancelled",
        "individual_appointments/deleted",
        "group_appointments/deleted",
        "appointment_types/archived",
        "attendees/cancelled",
        "attendees/deleted",
    ],
)
def test_old_lists_are_served_until_they_are_switched_off(steered: Any, path: str) -> None:
    resource, _, kind = path.partition("/")
    answer = steered.page(path)
    hidden = {row["id"] for row in answer[resource]}
    if path != "patients/deleted":
        assert all(row[f"{kind}_at"] for row in answer[resource])
        assert hidden == {row["id"] for row in steered.page(resource, **{"q[]": f"{kind}_at:?"})[resource]}
    steered.switch(legacy_routes=False)
    assert steered.api.get(path).status_code == 404


def test_sorting_by_id_may_be_refused(steered: Any) -> None:
    assert steered.page(sort="created_at:asc,id:asc")
    steered.switch(sort_by_id=False)
    answer = steered.api.get("patients", params={"sort": "created_at:asc,id:asc"})
    assert (answer.status_code, answer.json()) == (400, {"message": "Sort parameter must be a valid column name"})
    assert steered.page(sort="created_at:asc")


def test_too_large_a_page_is_clamped_or_refused(steered: Any) -> None:
    steered.change("insert", count=100)
    assert len(steered.page(per_page=101)["patients"]) == 100
    steered.switch(per_page_over_100="refuse")
    assert steered.api.get("patients", params={"per_page": 101}).status_code == 400
    assert len(steered.page(per_page=100)["patients"]) == 100


def test_an_accept_header_and_a_contact_may_be_demanded(steered: Any) -> None:
    steered.switch(require_accept=True, require_contact=True)
    anonymous = {"Accept": "application/json", "User-Agent": "Test"}
    named = {"User-Agent": "Test (test@routiq.example)"}
    assert steered.api.get("user", headers=anonymous).status_code == 403
    assert steered.api.get("user", headers=named).status_code == 406
    assert steered.api.get("user", headers=anonymous | named).status_code == 200


def test_an_address_without_a_shard_leads_to_the_first_one_or_nowhere(steered: Any) -> None:
    origin = str(steered.api.base_url).removesuffix("/au4/v1/")
    answer = steered.api.get(f"{origin}/v1/patients", params={"page": 2})
    assert (answer.status_code, answer.headers["location"]) == (301, f"{origin}/au1/v1/patients?page=2")
    assert steered.api.get(f"{origin}/v1/user").headers["location"] == f"{origin}/au1/v1/user"
    steered.switch(unsharded_host="not_found")
    assert steered.api.get(f"{origin}/v1/patients").status_code == 404


def test_the_limit_s_window_may_slide(steered: Any) -> None:
    steered.switch(rate_window="sliding")
    steered.control.patch("/settings", json={"rate_limit": 2}).raise_for_status()
    assert [steered.api.get("user").status_code for _ in range(3)] == [200, 200, 429]


def test_switches_are_shown_as_they_stand(steered: Any) -> None:
    steered.switch(gzip=True, quiet_changes=["archive"])
    shown = steered.control.get("/switches").json()
    assert (shown["gzip"], shown["quiet_changes"], shown["sort_by_id"]) == (True, ["archive"], True)


@pytest.mark.parametrize(
    "wanted",
    [
        {"gravity": True},
        {"gzip": 1},
        {"clock_skew_seconds": "late"},
        {"clock_skew_seconds": True},
        {"rate_window": "bay"},
        {"quiet_changes": "archive"},
        {"quiet_changes": [1]},
    ],
)
def test_an_impossible_position_is_refused(steered: Any, wanted: dict[str, Any]) -> None:
    before = steered.control.get("/switches").json()
    assert steered.control.patch("/switches", json={"gzip": True} | wanted).status_code == 422
    assert steered.control.get("/switches").json() == before
