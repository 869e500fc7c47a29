"""Answers that come late, never, cut short, or with something in them that misleads."""

import gzip
import re
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest


def test_a_page_that_hangs_sends_nothing_until_the_client_gives_up(steered: Any) -> None:
    steered.order("hang", path="patients", page=2)
    assert len(steered.page(per_page=10)["patients"]) == 10
    with pytest.raises(httpx.ReadTimeout):
        steered.api.get("patients", params={"page": 2}, timeout=0.3)
    assert steered.api.get("patients", params={"page": 2}).status_code == 200


def test_a_hanging_page_is_closed_in_the_end(steered: Any) -> None:
    steered.order("hang", seconds=0.2)
    with pytest.raises(httpx.RemoteProtocolError):
        steered.api.get("patients")


def test_a_connection_is_reset(steered: Any) -> None:
    steered.order("reset")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        steered.api.get("patients")
    assert steered.api.get("patients").status_code == 200


def test_a_body_ends_before_its_length(steered: Any) -> None:
    steered.order("truncate", keep=0.5)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        steered.api.get("patients")
    assert steered.api.get("patients").status_code == 200


def test_a_success_holds_no_json(steered: Any) -> None:
    steered.order("garble")
    answer = steered.api.get("patients")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError, match="Expecting"):
        answer.json()


def test_a_success_calls_itself_something_else(steered: Any) -> None:
    steered.order("content_type", content_type="text/html")
    answer = steered.api.get("patients")
    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["patients"]


def test_answers_are_compressed_for_those_who_ask(steered: Any) -> None:
    plain = steered.page()
    steered.switch(gzip=True)
    asked, unasked = steered.api.get("patients"), steered.api.get("patients", headers={"Accept-Encoding": "identity"})
    assert asked.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in unasked.headers
    assert asked.json() == unasked.json() == plain


def test_a_compressed_answer_comes_unasked_or_broken(steered: Any) -> None:
    steered.order("gzip")
    with steered.api.stream("GET", "patients", headers={"Accept-Encoding": "identity"}) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())).startswith(b'{"patients":')
    steered.order("gzip", broken=True)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        steered.api.get("patients").json()


@pytest.mark.parametrize(("lie", "told"), [({"add": -7}, 32), ({"add": 500}, 539), ({"value": 0}, 0), ({}, None)])
def test_the_total_lies(steered: Any, lie: dict[str, Any], told: int | None) -> None:
    true = steered.page()["total_entries"]
    steered.order("total_entries", **lie)
    answer = steered.page()
    assert answer["total_entries"] == (told if told is None or "value" in lie else true + lie["add"])
    assert len(answer["patients"]) == true


def test_the_next_link_is_missing_too_early(steered: Any) -> None:
    steered.order("next_link", to="missing", page=1)
    assert "next" not in steered.page(per_page=5)["links"]
    assert "next" in steered.page(per_page=5)["links"]


@pytest.mark.parametrize(
    ("to", "leads"),
    [
        ("self", r"http://127\.0\.0\.1:\d+/au4/v1/patients\?per_page=5&page=1"),
        ("foreign", r"http://api\.elsewhere\.example/au4/v1/patients\?per_page=5&page=2"),
        ("scheme", r"https://127\.0\.0\.1:\d+/au4/v1/patients\?per_page=5&page=2"),
        ("ftp://x/y", r"ftp://x/y"),
    ],
)
def test_the_next_link_leads_astray(steered: Any, to: str, leads: str) -> None:
    steered.order("next_link", to=to)
    assert re.fullmatch(leads, steered.page(per_page=5)["links"]["next"])


def test_records_gain_unknown_fields_lose_known_ones_and_come_twice(steered: Any) -> None:
    steered.order("records", values={"email": None, "horoscope": {"sign": "leo"}}, omit=["appointments"], repeat=2)
    patients = steered.page()["patients"]
    assert all(one["horoscope"] == {"sign": "leo"} and one["email"] is None for one in patients)
    assert not any("appointments" in one for one in patients)
    assert patients[-2:] == patients[:2]


@pytest.mark.parametrize(("style", "shape"), [("fraction", r"\.123Z$"), ("offset", r"\+10:00$")])
def test_times_come_with_a_fraction_or_an_offset(steered: Any, style: str, shape: str) -> None:
    plain = steered.page()["patients"][0]["created_at"]
    steered.order("datetimes", style=style)
    odd = steered.page()["patients"][0]["created_at"]
    assert re.search(shape, odd)
    assert datetime.fromisoformat(odd).replace(microsecond=0) == datetime.fromisoformat(plain)


def test_a_stale_page_hides_what_changed_for_a_while(steered: Any) -> None:
    steered.order("stale", seconds=0.4, path="patients", times=0)
    before = steered.page()
    steered.change("insert", values={"first_name": "New"})
    assert steered.page() == before
    assert steered.page(per_page=100)["total_entries"] == before["total_entries"] + 1, (
        "another question, a fresh answer"
    )
    time.sleep(0.45)
    assert steered.page()["total_entries"] == before["total_entries"] + 1


@pytest.mark.parametrize("skew", [-7200, 0, 600.5])
def test_the_server_s_clock_is_off(steered: Any, skew: float) -> None:
    steered.switch(clock_skew_seconds=skew)
    answer = steered.api.get("user")
    assert len(answer.headers.get_list("date")) == 1
    assert abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time() - skew) < 3
    steered.order("limit", reset=60)
    reset = int(steered.api.get("user").headers["X-RateLimit-Reset"])
    assert abs(reset - time.time() - skew - 60) < 3
