"""Whoever is shown records is on record before they are sent."""

import json
import time

import pytest
from services.patients.tests.clinic import HOUR, KEY, NOON, Clinic
from sqlalchemy import text
from starlette.types import Message, Send

from chassis.identity import HEADER, REQUEST_ID, Caller, sign
from contracts.events import PatientRecordsRead
from patients.domain.patient import patient_id
from patients.handlers import EXPORT_PIECE

CSV = {"accept": "text/csv"}
ANNOUNCED = text("""
    SELECT body FROM outbox WHERE routing_key = 'patients.records.read.v1'
    AND convert_from(body, 'UTF8')::jsonb ->> 'organization_id' = :organization_id ORDER BY id
""")
LISTS = ("patients", "patients/with-appointments", "patients/by-appointment-type/Physio")
FIGURES = ("active/summary", "patients/appointment-types/summary")


@pytest.fixture
async def five(clinic: Clinic) -> Clinic:
    await clinic.hears(
        clinic.page(clinic.type(7, "Physio")),
        clinic.page(*(clinic.patient(number, first_name="Canary") for number in range(5))),
        clinic.page(*(clinic.appointment(n, n, NOON + (n + 1) * HOUR, appointment_type_id="7") for n in range(5))),
    )
    return clinic


async def bodies(clinic: Clinic) -> list[bytes]:
    async with clinic.database.transaction() as connection:
        return list(await connection.scalars(ANNOUNCED, {"organization_id": clinic.organization_id}))


async def reads(clinic: Clinic) -> list[PatientRecordsRead]:
    return [PatientRecordsRead.model_validate_json(body) for body in await bodies(clinic)]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("headers", [{}, CSV], ids=["json", "csv"])
async def test_a_list_tells_who_was_shown_whom_by_which_request(
    five: Clinic, path: str, headers: dict[str, str]
) -> None:
    await five.read(path, headers, search="canary")
    (read,) = await reads(five)
    assert (read.user_id, read.role, read.impersonator, read.request_id) == ("user_1", "member", None, "request-1")
    template = path.replace("/Physio", "/{appointment_type:path}")
    assert read.route == f"/api/v1/patients/{{organization_id}}/{template}"
    assert list(read.patient_ids) == [patient_id(five.organization_id, str(number)) for number in range(5)]
    assert read.patient_count == 5


async def test_nothing_of_a_record_but_its_id_is_told(five: Clinic) -> None:
    await five.read("patients", search="canary")
    (body,) = await bodies(five)
    assert b"anary" not in body
    assert set(json.loads(body)) == {
        "event_id", "occurred_at", "organization_id", "request_id", "user_id", "role", "impersonator", "route",
        "patient_count", "patient_ids",
    }  # fmt: skip


async def test_who_acts_in_anothers_name_is_told(five: Clinic) -> None:
    caller = Caller(five.organization_id, "user_1", "admin", impersonator="user_support")
    headers = {HEADER: sign(caller, "patients", KEY.encode(), time.time()), REQUEST_ID: ""}
    assert (await five.read("patients", headers)).status_code == 200
    (read,) = await reads(five)
    assert (read.user_id, read.role, read.impersonator, read.request_id) == ("user_1", "admin", "user_support", None)


async def test_each_page_tells_of_those_on_it(five: Clinic) -> None:
    first = await five.get("patients", limit=3)
    await five.get("patients", limit=3, cursor=first["next_cursor"])
    assert [read.patient_count for read in await reads(five)] == [3, 2]


async def test_figures_no_news_and_empty_lists_show_nobody(five: Clinic) -> None:
    for path in FIGURES:
        assert (await five.read(path)).status_code == 200
    assert (await five.read("patients", search="nobody")).status_code == 200
    assert (await five.read("patients", CSV, search="nobody")).status_code == 200
    assert await reads(five) == []
    etag = (await five.read("patients")).headers["etag"]
    assert (await five.read("patients", {"if-none-match": etag})).status_code == 304
    assert len(await reads(five)) == 1


async def test_no_message_of_a_large_read_exceeds_a_hundred_kilobytes(clinic: Clinic) -> None:
    many = range(2 * EXPORT_PIECE + 1)
    await clinic.hears(clinic.page(*(clinic.patient(number) for number in many)))
    await clinic.read("patients", active="all", limit=1000)
    await clinic.read("patients", CSV, active="all")
    assert [read.patient_count for read in await reads(clinic)] == [1000, EXPORT_PIECE, EXPORT_PIECE, 1]
    assert max(map(len, await bodies(clinic))) < 100_000
    exported = [one for read in (await reads(clinic))[1:] for one in read.patient_ids]
    assert set(exported) == {patient_id(clinic.organization_id, str(number)) for number in many}


@pytest.mark.parametrize("headers", [{}, CSV], ids=["json", "csv"])
async def test_it_is_committed_before_any_of_it_is_sent(five: Clinic, headers: dict[str, str]) -> None:
    on_record: list[tuple[str, int]] = []

    async def send(message: Message) -> None:
        on_record.append((message["type"], len(await reads(five))))

    await asked_directly(five, send, headers)
    assert on_record[0] == ("http.response.start", 1)
    assert {count for _, count in on_record} == {1}


async def asked_directly(clinic: Clinic, send: Send, headers: dict[str, str]) -> None:
    """One request as a server hands it in, each message of the answer as the server gets it."""
    path = f"/api/v1/patients/{clinic.organization_id}/patients"
    lines = [(name.encode(), value.encode()) for name, value in {**clinic.signed(), **headers}.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": lines}
    waiting = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        return next(waiting, {"type": "http.disconnect"})

    asgi = {"asgi": {"version": "3.0", "spec_version": "2.4"}, "app": clinic.app}
    await clinic.app({**scope, **asgi}, receive, send)
