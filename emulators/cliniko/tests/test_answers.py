"""Who may ask, what an unknown path or record answers, and what the records look like."""

import re
from email.utils import parsedate_to_datetime

import httpx
import pytest

KEY, SECRET = "MS0-test-harbour-au4", "MS0-test-harbour"


@pytest.mark.parametrize("user_name", [KEY, SECRET, "MS0-test-harbour-AU4"])
def test_a_key_opens_its_clinic_with_and_without_its_suffix(address: str, user_name: str) -> None:
    assert httpx.get(f"{address}/au4/v1/user", auth=(user_name, "")).status_code == 200


@pytest.mark.parametrize(
    ("shard", "user_name"),
    [
        ("uk1", KEY),
        ("uk1", SECRET),
        ("au4", "MS0-test-harbour-uk1"),
        ("au4", "MS0-wrong-au4"),
        ("au4", ""),
        ("eu1", KEY),
    ],
)
def test_a_key_that_is_wrong_or_of_another_shard_is_unauthorized(address: str, shard: str, user_name: str) -> None:
    answer = httpx.get(f"{address}/{shard}/v1/user", auth=(user_name, ""))
    assert (answer.status_code, answer.text) == (401, "HTTP Basic: Access denied.\n")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic", "Basic %%%", "Basic /w=="])
def test_a_broken_authorization_header_is_unauthorized(address: str, authorization: str) -> None:
    answer = httpx.get(f"{address}/au4/v1/user", headers={"Authorization": authorization})
    assert answer.status_code == 401


def test_two_clinics_do_not_see_each_other(address: str, harbour: httpx.Client) -> None:
    with httpx.Client(base_url=f"{address}/uk1/v1", auth=("MS0-test-ridge-uk1", "")) as ridge:
        mine, theirs = (client.get("/patients").json()["patients"] for client in (harbour, ridge))
        assert {one["id"] for one in mine}.isdisjoint(one["id"] for one in theirs)
        assert ridge.get(f"/patients/{mine[0]['id']}").status_code == 404


def test_a_request_without_a_user_agent_is_forbidden(harbour: httpx.Client) -> None:
    answer = harbour.get("/user", headers={"User-Agent": ""})
    assert (answer.status_code, answer.text) == (403, "Requires a user agent")


@pytest.mark.parametrize("record", ["1", "0", "9223372036854775807", "99999999999999999999", "abc", "-1"])
def test_an_unknown_record_is_not_found_in_json(harbour: httpx.Client, record: str) -> None:
    answer = harbour.get(f"/patients/{record}")
    assert (answer.status_code, answer.json()) == (404, {"status": "404", "error": "Not Found"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/users/me"),
        ("POST", "/patients"),
        ("DELETE", "/patients/1"),
        ("GET", "/patients/1/x"),
    ],
)
def test_an_unrouted_path_or_verb_answers_with_a_web_page(harbour: httpx.Client, method: str, path: str) -> None:
    answer = harbour.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<title>Cliniko - 404</title>" in answer.text


def test_answers_carry_the_date(harbour: httpx.Client) -> None:
    assert parsedate_to_datetime(harbour.get("/user").headers["date"]).year >= 2020


def test_the_user_and_the_public_settings_describe_the_key_s_clinic(harbour: httpx.Client) -> None:
    user, settings = harbour.get("/user").json(), harbour.get("/settings/public").json()
    assert user["role"] == "administrator"
    assert (user["time_zone"], user["time_zone_identifier"]) == ("Melbourne", "Australia/Melbourne")
    assert settings["account"]["country_code"] == "AU"
    assert settings["account"]["name"]


def test_a_patient_has_the_documented_shape(harbour: httpx.Client) -> None:
    patient = harbour.get("/patients", params={"q[]": "email:~@example"}).json()["patients"][0]
    address = f"{harbour.base_url}patients/{patient['id']}"
    assert patient["id"].isdigit()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", patient["updated_at"])
    assert patient["links"] == {"self": address}
    assert patient["appointments"] == {"links": {"self": f"{address}/appointments"}}
    assert patient["custom_fields"] == {"sections": []}
    assert patient["archived_at"] is None
    assert set(patient["patient_phone_numbers"][0]) == {"phone_type", "number", "normalized_number"}
    assert "merged_with_patient" not in patient
    assert not any(name.endswith("_id") and name != "old_reference_id" for name in patient)


def test_an_appointment_names_its_relations_by_links(harbour: httpx.Client) -> None:
    appointment = harbour.get("/individual_appointments").json()["individual_appointments"][0]
    for relation in ("patient", "business", "practitioner", "appointment_type"):
        related = harbour.get(appointment[relation]["links"]["self"], params={"q[]": "archived_at:*"})
        related = related if related.status_code == 200 else harbour.get(appointment[relation]["links"]["self"])
        assert related.json()["links"] == appointment[relation]["links"]
    assert appointment["ends_at"] > appointment["starts_at"]
    assert (appointment["repeat_rule"], appointment["repeats"]) == ({}, None)
    assert "repeated_from" not in appointment
