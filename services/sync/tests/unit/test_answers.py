from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.adapters.answers import (
    NotThere,
    OrderRefused,
    RetryLater,
    TooMuch,
    pause_seconds,
    understand,
)
from sync.domain.clinic import Away, BadAnswer, Busy, ClinikoError, CredentialsRefused, NoSuchList, PermissionDenied
from sync.domain.paging import names_next

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
RESET, RETRY = "x-ratelimit-reset", "retry-after"
ASKED = "https://api.au4.cliniko.com/v1/patients"


def in_seconds(seconds: float) -> str:
    return str(int(NOON.timestamp() + seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({RESET: in_seconds(30)}, 30),
        ({RESET: in_seconds(-100)}, 1),
        ({RESET: in_seconds(1e6)}, 90),
        ({RESET: str(int(NOON.timestamp() * 1000))}, 90),
        ({RESET: "soon"}, 60),
        ({RESET: "nan"}, 60),
        ({RESET: "inf"}, 60),
        ({RESET: ""}, 60),
        ({}, 60),
        ({RETRY: "7"}, 7),
        ({RETRY: "0"}, 1),
        ({RETRY: "Mon, 30 Jun 2025 12:00:20 GMT"}, 20),
        ({RETRY: "later"}, 60),
        ({RESET: "soon", RETRY: "7"}, 7),
        ({RESET: in_seconds(30), RETRY: "7"}, 30),
        ({RESET: in_seconds(-5), RETRY: "7"}, 7),
    ],
)
def test_the_pause_after_429_is_what_cliniko_says_within_reason(headers: dict[str, str], seconds: float) -> None:
    assert pause_seconds(headers, NOON) == seconds


def test_a_clock_that_differs_from_ours_does_not_change_the_pause() -> None:
    headers = {"date": "Mon, 30 Jun 2025 12:10:00 GMT", RESET: in_seconds(630)}
    with pytest.raises(RetryLater) as told:
        understand(429, headers, b"", NOON)
    assert (told.value.becomes, told.value.pause) == (Busy, 30)


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Mon, 30 Jun 2025 12:10:00 GMT", NOON + timedelta(minutes=10)),
        ("Mon, 30 Jun 2025 12:10:00 -0000", NOON + timedelta(minutes=10)),
        ("yesterday", NOON),
        (None, NOON),
    ],
)
def test_an_answer_tells_when_it_was_given_by_clinikos_clock(date: str | None, at: datetime) -> None:
    answer = understand(200, {"date": date} if date else {}, b"{}", NOON)
    assert (answer.at, answer.skew) == (at, at - NOON)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (301, b"", BadAnswer),
        (400, b'{"message":"nonsense is not filterable"}', BadAnswer),
        (400, b'{"message":"Sort parameter must be a valid column name"}', OrderRefused),
        (401, b"HTTP Basic: Access denied.\n", CredentialsRefused),
        (401, b'{"message":"..."}', CredentialsRefused),
        (404, b'{"status":"404","error":"Not Found"}', NotThere),
        (404, b"<html><title>Cliniko - 404</title>", NoSuchList),
        (404, b"", NoSuchList),
        (422, b'{"message":"Validation Failed","errors":{}}', BadAnswer),
        (204, b"", BadAnswer),
    ],
)
def test_a_refusal_is_final(status: int, body: bytes, error: type[ClinikoError]) -> None:
    with pytest.raises(ClinikoError) as raised:
        understand(status, {}, body, NOON)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, b"", PermissionDenied),
        (500, b"<html>", Away),
        (502, b"", Away),
        (503, b"{}", Away),
        (504, b"<html>", TooMuch),
        (200, b"", BadAnswer),
        (200, b"<html>", BadAnswer),
        (200, b'{"patients": [', BadAnswer),
        (200, b"[]", BadAnswer),
        (200, b"null", BadAnswer),
        (200, b"\xff\xfe\xfd", BadAnswer),
        (200, b"[" * 100_000, BadAnswer),
        (200, b"1" * 10_000, BadAnswer),
    ],
)
def test_what_may_pass_is_asked_again(status: int, body: bytes, error: type[ClinikoError]) -> None:
    with pytest.raises(RetryLater) as raised:
        understand(status, {}, body, NOON)
    assert raised.value.becomes is error


def test_control_characters_within_a_text_do_not_make_an_answer_unreadable() -> None:
    assert understand(200, {}, b'{"notes": "a\x01b\x00c"}', NOON).json["notes"] == "a\x01b\x00c"


@pytest.mark.parametrize(
    ("links", "more"),
    [
        ({"next": f"{ASKED}?page=3&per_page=100&q%5B%5D=archived_at%3A%2A"}, True),
        ({"next": "https://api.au4.cliniko.com:443/v1/patients?page=3"}, True),
        ({"next": "/v1/patients?page=3"}, True),
        ({"self": ASKED}, False),
        ({"next": None}, False),
        ({"next": ""}, False),
        (None, False),
    ],
)
def test_a_next_link_to_the_next_page_of_the_list_is_believed(links: Any, more: bool) -> None:
    asked = ASKED.replace("com", "com:443") if more and ":443" in links["next"] else ASKED
    assert names_next({"links": links}, asked, 2) is more


@pytest.mark.parametrize(
    "link",
    [
        "http://api.au4.cliniko.com/v1/patients?page=3",
        "https://api.au5.cliniko.com/v1/patients?page=3",
        "https://api.au4.cliniko.com.evil.example/v1/patients?page=3",
        "https://evil.example@api.au4.cliniko.com/v1/patients?page=3",
        "https://api.au4.cliniko.com@evil.example/v1/patients?page=3",
        "https://api.au4.cliniko.com:8443/v1/patients?page=3",
        "//evil.example/v1/patients?page=3",
        "https://api.au4.cliniko.com/v2/patients?page=3",
        "https://api.au4.cliniko.com/v1/patients/../users?page=3",
        "https://api.au4.cliniko.com/v1/users?page=3",
        f"{ASKED}?page=2",
        f"{ASKED}?page=1",
        f"{ASKED}?page=4",
        f"{ASKED}?page=3&page=1",
        f"{ASKED}?page=three",
        ASKED,
        "https://[broken/v1/patients?page=3",
        {"page": 3},
        3,
    ],
)
def test_a_next_link_that_leads_anywhere_else_spoils_the_answer(link: Any) -> None:
    with pytest.raises(BadAnswer):
        names_next({"links": {"next": link}}, ASKED, 2)


def test_links_that_are_no_object_spoil_the_answer() -> None:
    with pytest.raises(BadAnswer):
        names_next({"links": "next"}, ASKED, 2)
