"""The client against a real server that answers as scripted."""

import asyncio
import base64
import gzip
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sync.adapters.accounts import Accounts
from sync.adapters.cliniko import Cliniko, Patience
from sync.adapters.ledger import OwnLedger
from sync.adapters.throttle import Throttle
from sync.domain.allowance import Urgency
from sync.domain.clinic import (
    Away,
    BadAnswer,
    Busy,
    ClinikoError,
    CredentialsRefused,
    NoSuchList,
    Page,
    PermissionDenied,
)

KEY = "MS0-canary-key-au4"
Answer = Callable[..., bytes]
Open = Callable[..., Cliniko]
EMPTY = {"patients": [], "total_entries": 0, "links": {}}


@pytest.fixture
async def pauses() -> list[float]:
    """How long the client slept between attempts, had it slept."""
    return []


@pytest.fixture
async def account(scripted: Any, pauses: list[float]) -> AsyncIterator[Open]:
    accounts = Accounts(scripted.template, "test@routiq.example")

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def open_account(**patience: Any) -> Cliniko:
        asking = Patience(Urgency.REQUESTED, **patience)
        throttle = Throttle(OwnLedger(), b"account")
        return Cliniko(accounts._http, scripted.template, KEY, throttle, asking, sleep)

    yield open_account
    await accounts.close()


def listing(asked: Any, total: int) -> dict[str, Any]:
    """A page of patients 1 to `total`, with the links Cliniko would give."""
    first = (asked.number - 1) * asked.size
    rows = [{"id": str(n + 1)} for n in range(first, min(first + asked.size, total))]
    beyond = first + asked.size < total
    links = {"next": f"{asked.path}?page={asked.number + 1}&per_page={asked.size}"} if beyond else {}
    return {"patients": rows, "total_entries": total, "links": links}


def ids(page: Page) -> list[int]:
    return [int(row["id"]) for row in page.rows]


async def test_a_page_is_asked_for_as_cliniko_wants_it(scripted: Any, answer: Answer, account: Open) -> None:
    scripted.answers = lambda _: answer(200, {"practitioners": [{"id": "1"}], "total_entries": 1})
    page = await account().page("practitioners/inactive", ("updated_at:>=2025-01-01T00:00:00Z", "archived_at:*"), 3)
    (asked,) = scripted.asked
    assert (len(page.rows), page.total, page.more) == (1, 1, False)
    assert asked.path == "/au4/v1/practitioners/inactive"
    assert asked.query == {
        "q[]": ["updated_at:>=2025-01-01T00:00:00Z", "archived_at:*"],
        "sort": ["created_at:asc,id:asc"],
        "page": ["3"],
        "per_page": ["100"],
    }
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["user-agent"] == "Routiq (test@routiq.example)"


async def test_a_page_tells_of_its_list_and_of_clinikos_clock(scripted: Any, answer: Answer, account: Open) -> None:
    date = "Mon, 30 Jun 2025 12:00:00 GMT"
    scripted.answers = lambda asked: answer(200, listing(asked, 250), date=date)
    page = await account().page("patients", (), 2)
    assert (ids(page)[0], page.total, page.more) == (101, 250, True)
    assert page.answered_at.isoformat() == "2025-06-30T12:00:00+00:00"
    assert page.skew.days < -300


async def test_a_count_below_zero_is_none(scripted: Any, answer: Answer, account: Open) -> None:
    scripted.answers = lambda asked: answer(200, {**listing(asked, 3), "total_entries": -7})
    assert (await account().page("patients", (), 1)).total == 0


def test_a_list_goes_on_when_either_its_links_or_its_total_say_so() -> None:
    rows = [{"id": "1"}]
    assert Page(rows, total=100, more=True).continues(1)
    assert Page(rows, total=101).continues(1)
    assert not Page(rows, total=100).continues(1)
    assert not Page([], total=900, more=True).continues(1)


@pytest.mark.parametrize(
    ("status", "content", "error", "requests"),
    [
        (301, b"", BadAnswer, 1),
        (400, {"message": "nonsense is not filterable"}, BadAnswer, 1),
        (401, b"HTTP Basic: Access denied.", CredentialsRefused, 1),
        (404, b"<html>", NoSuchList, 1),
        (422, {"message": "Validation Failed"}, BadAnswer, 1),
        (403, b"", PermissionDenied, 2),
        (500, b"<html>", Away, 6),
        (503, b"", Away, 6),
        (200, b"<html>", BadAnswer, 6),
        (200, {"patients": {}, "total_entries": 1}, BadAnswer, 3),
        (200, {"patients": [], "total_entries": "1"}, BadAnswer, 3),
        (200, {**EMPTY, "links": {"next": "https://evil.example/v1/patients?page=2"}}, BadAnswer, 3),
    ],
)
async def test_only_what_may_pass_is_asked_again(
    scripted: Any, answer: Answer, account: Open, status: int, content: Any, error: type[ClinikoError], requests: int
) -> None:
    scripted.answers = lambda _: answer(status, content, location=f"{scripted.template}/elsewhere")
    with pytest.raises(error):
        await account().page("patients", (), 1)
    assert len(scripted.asked) == requests
    assert {asked.path for asked in scripted.asked} == {"/au4/v1/patients"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"reset",
        lambda whole: whole[:-10],
        lambda whole: whole[:30],
        lambda whole: b"no HTTP at all\r\n\r\n",
        lambda whole: whole.replace(b"connection: close", b"content-encoding: gzip"),
        lambda whole: whole.replace(b"HTTP/1.1 200", b"HTTP/1.1 502"),
    ],
)
async def test_an_answer_that_breaks_off_or_is_damaged_is_asked_for_again(
    scripted: Any, answer: Answer, account: Open, pauses: list[float], damage: Callable[[bytes], bytes]
) -> None:
    def once_damaged(asked: Any) -> bytes:
        whole = answer(200, listing(asked, 3))
        return damage(whole) if len(scripted.asked) == 1 else whole

    scripted.answers = once_damaged
    assert ids(await account().page("patients", (), 1)) == [1, 2, 3]
    assert len(pauses) == 1
    assert 0 <= pauses[0] <= 1


async def test_the_pauses_between_attempts_are_drawn_from_a_growing_range(
    scripted: Any, account: Open, pauses: list[float]
) -> None:
    with pytest.raises(Away):
        await account(attempts=9).page("patients", (), 1)
    ranges = [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(pauses) == len(ranges)
    assert all(0 <= pause <= most for pause, most in zip(pauses, ranges, strict=True))
    assert max(pauses) > 2


async def test_an_answer_that_does_not_come_is_given_up(scripted: Any, account: Open) -> None:
    scripted.answers = lambda _: b"hang"
    with pytest.raises(Away):
        await account(attempts=2, answer_seconds=0.05).check()
    assert len(scripted.asked) == 2


async def test_an_answer_without_end_is_not_read_to_its_end(scripted: Any, answer: Answer, account: Open) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    scripted.answers = lambda _: answer(200, bomb, content_encoding="gzip")
    with pytest.raises(BadAnswer):
        await account().page("patients", (), 1)
    assert len(scripted.asked) == 1


async def test_after_429_every_request_of_the_key_waits_and_then_they_go_on(
    scripted: Any, answer: Answer, account: Open
) -> None:
    times: list[float] = []

    def limited(asked: Any) -> bytes:
        times.append(asyncio.get_running_loop().time())
        return answer(429, b"", retry_after="0") if len(times) == 1 else answer(200, listing(asked, 300))

    scripted.answers = limited
    clinic = account()
    pages = [asyncio.create_task(clinic.page("patients", (), 1))]
    await asyncio.sleep(0.2)
    pages += [asyncio.create_task(clinic.page("patients", (), number)) for number in (2, 3)]
    assert [len((await page).rows) for page in pages] == [100, 100, 100]
    assert min(times[1:]) - times[0] >= 1


async def test_being_asked_to_wait_is_no_failed_attempt_until_it_takes_too_long(
    scripted: Any, answer: Answer, account: Open
) -> None:
    scripted.answers = lambda asked: (
        answer(429, b"", retry_after="0") if len(scripted.asked) <= 3 else answer(200, listing(asked, 3))
    )
    assert ids(await account(attempts=1, pauses_seconds=3).page("patients", (), 1)) == [1, 2, 3]
    scripted.asked.clear()
    with pytest.raises(Busy):
        await account(attempts=1, pauses_seconds=2).page("patients", (), 1)


async def test_a_person_is_told_at_once_that_the_limit_is_used_up(scripted: Any, answer: Answer, account: Open) -> None:
    scripted.answers = lambda _: answer(429, {"message": "Rate limit exceeded"}, x_ratelimit_reset="garbled")
    clinic = account(attempts=1, turn_seconds=0.05)
    for _ in range(2):
        with pytest.raises(Busy):
            await clinic.check()
    assert len(scripted.asked) == 1


async def test_a_page_that_takes_cliniko_too_long_is_read_in_smaller_ones_and_so_are_the_next(
    scripted: Any, answer: Answer, account: Open
) -> None:
    scripted.answers = lambda asked: answer(504, b"<html>") if asked.size > 25 else answer(200, listing(asked, 190))
    clinic = account()
    first = await clinic.page("patients", (), 1)
    assert (ids(first), first.total, first.more) == (list(range(1, 101)), 190, True)
    assert [asked.size for asked in scripted.asked] == [100, 100, 50, 50, 25, 25, 25, 25]
    last = await clinic.page("patients", (), 2)
    assert (ids(last), last.more) == (list(range(101, 191)), False)
    assert [asked.size for asked in scripted.asked[8:]] == [25, 25, 25, 25]


async def test_a_list_that_takes_too_long_at_any_size_is_away(scripted: Any, answer: Answer, account: Open) -> None:
    scripted.answers = lambda _: answer(504, b"<html>")
    with pytest.raises(Away):
        await account().page("patients", (), 1)
    assert [asked.size for asked in scripted.asked] == [100, 100, 50, 50, *[25] * 6]


async def test_where_cliniko_refuses_the_tie_breaker_the_order_goes_without(
    scripted: Any, answer: Answer, account: Open
) -> None:
    refusal = answer(400, {"message": "Sort parameter must be a valid column name"})
    scripted.answers = lambda asked: refusal if "id" in asked.query["sort"][0] else answer(200, listing(asked, 3))
    clinic = account()
    for _ in range(2):
        assert ids(await clinic.page("patients", (), 1)) == [1, 2, 3]
    assert [asked.query["sort"][0] for asked in scripted.asked] == [
        "created_at:asc,id:asc",
        "created_at:asc",
        "created_at:asc",
    ]
    with pytest.raises(BadAnswer):
        await clinic.page("patients", (), 1, order="id:asc")


async def test_a_record_is_missing_only_when_cliniko_says_so_of_the_record(
    scripted: Any, answer: Answer, account: Open
) -> None:
    scripted.answers = lambda _: answer(404, {"status": "404", "error": "Not Found"})
    assert await account().record("patients/1", ("archived_at:*",)) is None
    assert scripted.asked[0].query == {"q[]": ["archived_at:*"]}
    scripted.answers = lambda _: answer(404, b"<html><title>Cliniko - 404</title>")
    with pytest.raises(NoSuchList):
        await account().record("patients/1")
    scripted.answers = lambda _: answer(200, {"id": "1"})
    assert await account().record("patients/1") == {"id": "1"}


async def test_a_cookie_of_one_answer_is_not_sent_with_the_next(scripted: Any, answer: Answer, account: Open) -> None:
    scripted.answers = lambda _: answer(200, {}, set_cookie="session=of-this-clinic; path=/")
    for _ in range(2):
        await account().check()
    assert all("cookie" not in asked.headers for asked in scripted.asked)


@pytest.mark.parametrize("failure", [b"reset", b"hang", None])
async def test_neither_key_nor_data_is_in_any_error_log_or_description(
    scripted: Any, answer: Answer, account: Open, caplog: pytest.LogCaptureFixture, failure: bytes | None
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = base64.b64encode(f"{KEY}:".encode()).decode()
    scripted.answers = lambda _: failure or answer(500, b"Canary Patient")
    clinic = account(attempts=2, answer_seconds=0.1)
    with pytest.raises(Away) as raised:
        await clinic.page("patients", (), 1)
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.__context__) + repr(clinic)
    assert not any(word in told + caplog.text for word in ("canary", "Canary", secret))
    assert raised.value.__context__ is None
