from typing import Any

import httpx
import pytest


def test_requests_are_counted_by_path_status_and_key_until_the_reset(steered: Any) -> None:
    patient = steered.page()["patients"][0]["id"]
    steered.page(f"patients/{patient}")
    steered.page("patients", page=2)
    steered.api.get("user", auth=("MS0-wrong-au4", ""))
    steered.order("status", status=503)
    steered.api.get("individual_appointments")
    assert steered.control.get("/requests").json() == {
        "total": 5,
        "by_path": {"patients": 2, "patients/{id}": 1, "user": 1, "individual_appointments": 1},
        "by_status": {"200": 3, "401": 1, "503": 1},
        "by_key": {
            "MS0-own-au4": {"total": 4, "most_in_a_minute": 4},
            "MS0-wrong-au4": {"total": 1, "most_in_a_minute": 1},
        },
    }
    assert steered.control.delete("/requests").status_code == 204
    assert steered.control.get("/requests").json() == {"total": 0, "by_path": {}, "by_status": {}, "by_key": {}}


def test_a_request_without_an_answer_is_counted_too(steered: Any) -> None:
    steered.order("reset")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        steered.page()
    assert steered.control.get("/requests").json()["by_status"] == {"none": 1}
