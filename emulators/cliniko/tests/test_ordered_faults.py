"""Where a fault applies, how often, and the refusals it may answer with."""

import time
from typing import Any

import pytest


def statuses(steered: Any, path: str, count: int) -> list[int]:
    return [steered.api.get(path).status_code for _ in range(count)]


def test_a_fault_strikes_once_unless_more_is_asked(steered: Any) -> None:
    steered.order("status", status=503)
    assert statuses(steered, "patients", 3) == [503, 200, 200]


def test_a_fault_strikes_n_in_a_row_after_leaving_some_out(steered: Any) -> None:
    steered.order("status", status=500, skip=2, times=3)
    assert statuses(steered, "patients", 6) == [200, 200, 500, 500, 500, 200]


def test_faults_follow_each_other_and_join_where_they_can(steered: Any) -> None:
    for effect in ({"status": 500}, {"status": 502}):
        steered.order("status", **effect)
    steered.order("total_entries", add=1)
    steered.order("next_link", to="missing")
    assert statuses(steered, "patients", 2) == [500, 502]
    answer = steered.page(per_page=10)
    assert answer["total_entries"] == steered.page()["total_entries"] + 1
    assert "next" not in answer["links"]


def test_a_fault_without_end_is_taken_back_by_its_number_or_with_all_others(steered: Any) -> None:
    number = steered.order("status", status=502, times=0)
    assert statuses(steered, "patients", 3) == [502] * 3
    assert steered.control.delete(f"/faults/{number}").status_code == 204
    assert steered.control.delete(f"/faults/{number}").status_code == 404
    steered.order("status", status=504, times=0)
    steered.order("hang", times=0, path="businesses")
    assert steered.control.delete("/faults").status_code == 204
    assert statuses(steered, "patients", 1) == [200]
    assert steered.control.get("/faults").json() == {"faults": []}


def test_what_is_switched_on_is_listed_with_its_hits(steered: Any) -> None:
    order = {"effect": "status", "status": 503, "path": "patients", "times": 3}
    number = steered.order(**order)
    statuses(steered, "patients", 2)
    assert steered.control.get("/faults").json() == {"faults": [{"id": number, **order, "hits": 2, "left": 1}]}


def test_a_fault_from_a_moment_on_waits_for_it(steered: Any) -> None:
    steered.order("status", status=503, after_seconds=0.3, times=0)
    assert statuses(steered, "patients", 1) == [200]
    time.sleep(0.35)
    assert statuses(steered, "patients", 2) == [503, 503]


@pytest.mark.parametrize(
    ("where", "path", "struck"),
    [
        ({"path": "patients"}, "patients", True),
        ({"path": "patients"}, "businesses", False),
        ({"path": "patients"}, "patients/deleted", False),
        ({"path": "patients*"}, "patients/deleted", True),
        ({"page": 2}, "patients?page=2", True),
        ({"page": 2}, "patients?page=1", False),
        ({"page": 1}, "patients", True),
        ({"method": "GET"}, "patients", True),
        ({"method": "POST"}, "patients", False),
        ({"key": "MS0-own-au4"}, "patients", True),
        ({"key": "MS0-own"}, "patients", True),
        ({"key": "MS0-other-au4"}, "patients", False),
        ({"shard": "au4"}, "patients", True),
        ({"shard": "uk1"}, "patients", False),
    ],
)
def test_a_fault_strikes_only_where_it_was_ordered(
    steered: Any, where: dict[str, Any], path: str, struck: bool
) -> None:
    steered.order("status", status=503, **where)
    assert statuses(steered, path, 1) == [503 if struck else 200]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(
    ("body", "content_type", "beginning"),
    [("html", "text/html", "<!DOCTYPE"), ("empty", "text/plain", ""), ("json", "application/json", '{"message"')],
)
def test_a_server_error_comes_with_any_body(
    steered: Any, status: int, body: str, content_type: str, beginning: str
) -> None:
    steered.order("status", status=status, body=body)
    answer = steered.api.get("patients")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.text.startswith(beginning)
    assert bool(answer.text) == bool(beginning)


def test_a_key_may_be_refused_in_text_or_in_json(steered: Any) -> None:
    steered.switch(unauthorized_body="json")
    refused = steered.api.get("user", auth=("MS0-wrong-au4", ""))
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized"})
    steered.switch(unauthorized_body="text")
    assert steered.api.get("user", auth=("MS0-wrong-au4", "")).text == "HTTP Basic: Access denied.\n"


def test_one_resource_may_be_forbidden_with_an_empty_body(steered: Any) -> None:
    steered.order("status", status=403, path="individual_appointments*", times=0)
    answer = steered.api.get("individual_appointments")
    assert (answer.status_code, answer.content) == (403, b"")
    assert statuses(steered, "patients", 1) == [200]


def test_not_found_comes_as_json_or_as_a_web_page(steered: Any) -> None:
    steered.order("status", status=404)
    steered.order("status", status=404, body="html")
    assert steered.api.get("patients").json() == {"status": "404", "error": "Not Found"}
    assert "<title>Cliniko - 404</title>" in steered.api.get("patients").text


def test_a_write_is_refused_with_the_fields_that_are_wrong(steered: Any) -> None:
    steered.order("status", status=422, method="POST", path="patients")
    answer = steered.api.post("patients", json={})
    assert answer.status_code == 422
    assert answer.json()["message"] == "Validation Failed"
    assert set(answer.json()["errors"]) == {"base", "first_name"}


def test_content_and_headers_are_sent_as_they_are_given(steered: Any) -> None:
    steered.order("status", status=418, content={"a": [1]}, headers={"X-Odd": "yes"})
    answer = steered.api.get("patients")
    assert (answer.status_code, answer.json(), answer.headers["x-odd"]) == (418, {"a": [1]}, "yes")


@pytest.mark.parametrize(
    ("reset", "low", "high"), [(5, 3, 7), ("past", -70, -50), ("far", 86_400, 10**9), (90.5, 85, 95)]
)
def test_the_limit_s_reset_lies_where_it_was_ordered(steered: Any, reset: object, low: float, high: float) -> None:
    steered.order("limit", reset=reset)
    answer = steered.api.get("patients")
    assert answer.status_code == 429
    assert low <= int(answer.headers["X-RateLimit-Reset"]) - time.time() <= high
    assert "Retry-After" not in answer.headers


def test_the_limit_s_reset_may_be_missing_or_garbled_and_retry_after_present(steered: Any) -> None:
    steered.order("limit", reset="missing", retry_after=7)
    steered.order("limit", reset="garbled")
    missing, garbled = (steered.api.get("patients") for _ in range(2))
    assert "X-RateLimit-Reset" not in missing.headers
    assert missing.headers["Retry-After"] == "7"
    assert garbled.headers["X-RateLimit-Reset"] == "in a minute"


def test_a_storm_of_refusals_ends(steered: Any) -> None:
    steered.order("limit", reset=1, times=20)
    assert statuses(steered, "patients", 21) == [429] * 20 + [200]


def test_a_fault_may_come_late(steered: Any) -> None:
    steered.order("status", status=504, delay_ms=200)
    steered.order("delay", delay_ms=200)
    began = time.monotonic()
    assert statuses(steered, "patients", 1) == [504]
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"effect": "explode"},
        {"effect": "status"},
        {"effect": "status", "status": "500"},
        {"effect": "status", "status": 500, "body": "xml"},
        {"effect": "status", "status": 500, "pages": 3},
        {"effect": "status", "status": 500, "page": "3"},
        {"effect": "status", "status": 500, "times": -1},
        {"effect": "status", "status": 500, "path": 7},
        {"effect": "status", "status": 500, "after_seconds": "soon"},
        {"effect": "limit", "reset": "tomorrow"},
        {"effect": "datetimes", "style": "roman"},
        {"effect": "change", "changes": [{"change": "explode"}]},
        {"effect": "change", "changes": [{"change": "update", "values": {"shoe_size": 44}}]},
        {"effect": "change", "changes": [{"change": "archive", "q": ["phone:=1"]}]},
        {"effect": "change", "changes": [{"change": "cancel", "resource": "patients"}]},
        {"effect": "change", "changes": ["archive"]},
    ],
)
def test_an_order_that_is_not_understood_is_refused_and_changes_nothing(steered: Any, order: dict[str, Any]) -> None:
    assert steered.control.post("/faults", json=order).status_code == 422
    assert steered.control.get("/faults").json() == {"faults": []}
