"""An assembled service over HTTP: how it answers, to whom, and what it says of itself."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Body, FastAPI, Query
from pydantic import SecretStr
from sqlalchemy import text

from chassis.consumers import Consumers
from chassis.database import Transaction, engine_url
from chassis.errors import Conflict
from chassis.identity import HEADER, Administrator, Caller, Operator, OwnOrganization, sign
from chassis.outages import is_outage
from chassis.service import assemble
from chassis.settings import ServiceSettings

KEY = "k" * 32
NewDatabase = Callable[[str], Awaitable[str]]
router = APIRouter(prefix="/api")


@router.get("/{organization_id}/write")
async def write(organization_id: OwnOrganization, connection: Transaction, fail: bool = False) -> dict[str, str]:
    await connection.execute(text("INSERT INTO inbox VALUES ('trial', gen_random_uuid())"))
    if fail:
        raise Conflict("Not now.")
    return {"organization_id": organization_id}


@router.get("/{organization_id}/break")
async def break_down(organization_id: OwnOrganization) -> None:
    raise RuntimeError(f"Canary of {organization_id}")


@router.get("/{organization_id}/ask")
async def ask(connection: Transaction, number: Annotated[int, Query(ge=1)]) -> int:
    return int(await connection.scalar(text("SELECT CAST(:number AS integer)"), {"number": number}) or 0)


@router.put("/{organization_id}/note")
async def note(connection: Transaction, text_: Annotated[str, Body(embed=True, alias="text")]) -> str:
    return str(await connection.scalar(text("SELECT CAST(:given AS text)"), {"given": text_}))


@router.put("/{organization_id}/thing")
async def change(organization_id: OwnOrganization) -> str:
    return organization_id


@router.delete("/{organization_id}/thing")
async def remove(organization_id: OwnOrganization) -> str:
    return organization_id


@router.get("/administrators")
async def administrators(caller: Administrator) -> str:
    return caller.user_id


@router.get("/operators")
async def operators(caller: Operator) -> str:
    return caller.user_id


def service_at(database_url: str) -> FastAPI:
    settings = ServiceSettings(
        identity_key=SecretStr(KEY), database_url=SecretStr(database_url), amqp_url=SecretStr("amqp://127.0.0.1:1/")
    )
    return assemble(settings, Consumers("patients", []), router)


@pytest.fixture
async def client(new_database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(service_at(await new_database("patients"))) as opened:
        yield opened


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # which raises what the service lets through: nothing
    return httpx.AsyncClient(transport=transport, base_url="http://service")


def signed(organization_id: str = "org_a", **more: Any) -> dict[str, str]:
    caller = Caller(organization_id, "user_1", more.pop("role", "member"), "r" * 32, **more)
    return {HEADER: sign(caller, "patients", KEY.encode(), time.time())}


async def written(client: httpx.AsyncClient) -> int:
    database = client._transport.app.state.database  # type: ignore[attr-defined] # the ASGI transport's own app
    async with database.transaction() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM inbox")) or 0)


async def test_a_request_commits_before_its_answer_and_a_refusal_leaves_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/org_a/write", headers=signed())).json() == {"organization_id": "org_a"}
    assert await written(client) == 1
    refused = await client.get("/api/org_a/write?fail=true", headers=signed())
    assert (refused.status_code, refused.json()["detail"]) == (409, "Not now.")
    assert await written(client) == 1


@pytest.mark.parametrize(
    ("path", "caller", "status", "error"),
    [
        ("/api/org_a/write", None, 401, "Authentication failed"),
        ("/api/org_b/write", {"organization_id": "org_a"}, 404, "Not found"),
        ("/api/administrators", {}, 403, "Access denied"),
        ("/api/operators", {"role": "admin"}, 403, "Access denied"),
        ("/api/nowhere/at/all", {}, 404, "Not found"),
        ("/api/org_a/write/", {}, 404, "Not found"),
        ("/api/org_a/ask?number=0", {}, 400, "Validation error"),
        ("/api/org_a/break", {}, 500, "Internal server error"),
    ],
)
async def test_every_failure_has_the_one_envelope(
    client: httpx.AsyncClient, path: str, caller: dict[str, str] | None, status: int, error: str
) -> None:
    response = await client.get(path, headers={} if caller is None else signed(**caller))
    body = response.json()
    assert (response.status_code, body["error"]) == (status, error)
    assert set(body) - {"errors"} == {"error", "detail", "timestamp", "path"}
    assert body["path"] == path.partition("?")[0]
    assert "Canary" not in response.text
    assert "Traceback" not in response.text


async def test_a_wrong_method_is_told_all_the_right_ones(client: httpx.AsyncClient) -> None:
    for path, allowed in (("/api/org_a/thing", "DELETE, PUT"), ("/api/org_a/write", "GET"), ("/health/live", "GET")):
        answer = await client.post(path, headers=signed())
        assert (answer.status_code, answer.json()["error"]) == (405, "Method not allowed")
        assert answer.headers["Allow"] == allowed


async def test_a_validation_error_never_repeats_the_input(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/org_a/ask?number=Canary", headers=signed())
    assert response.status_code == 400
    assert [set(problem) for problem in response.json()["errors"]] == [{"loc", "msg", "type"}]
    assert "Canary" not in response.text


async def test_a_body_that_is_no_json_is_told_what_it_should_be(client: httpx.AsyncClient) -> None:
    form = await client.put("/api/org_a/note", data={"text": "Canary"}, headers=signed())
    assert (form.status_code, form.json()["detail"]) == (400, "Send the body as application/json.")
    broken = await client.put("/api/org_a/note", content=b"{", headers={**signed(), "content-type": "application/json"})
    assert (broken.status_code, broken.json()["detail"]) == (400, "The body is not valid JSON.")
    assert (await client.put("/api/org_a/note", json={"text": "x"}, headers=signed())).status_code == 200


async def test_text_the_database_cannot_hold_is_the_callers_fault(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/org_a/note", json={"text": "a\u0000b"}, headers=signed())
    assert (answer.status_code, answer.json()["error"]) == (400, "Validation error")


async def test_roles_open_their_doors(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/administrators", headers=signed(role="admin"))).status_code == 200
    assert (await client.get("/api/operators", headers=signed(operator=True))).status_code == 200


async def test_with_its_database_away_a_service_says_so_and_is_not_ready(unused_tcp_port: int) -> None:
    url = f"postgresql://nobody:secret-word@127.0.0.1:{unused_tcp_port}/none"
    async with client_of(service_at(url)) as client:
        response = await client.get("/api/org_a/write", headers=signed())
        assert (response.status_code, response.json()["error"]) == (503, "Service unavailable")
        assert "secret-word" not in response.text
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json() == {"status": "not ready", "checks": {"database": False, "broker": False}}
        assert (await client.get("/health/live")).json() == {"status": "live"}


@pytest.mark.parametrize("sqlstate", ["08006", "3D000", "53300", "57P01", "57P03"])
async def test_a_database_that_is_starting_stopping_full_or_gone_is_an_outage_and_no_fault(sqlstate: str) -> None:
    error = asyncpg.PostgresError("Canary")
    error.sqlstate = sqlstate
    assert is_outage(error)
    assert not is_outage(asyncpg.UniqueViolationError("Canary"))


def test_an_address_with_sslmode_is_understood() -> None:
    url = engine_url("postgresql://u:p@host/db?sslmode=require&application_name=x")
    assert url.query == {"ssl": "require", "application_name": "x"}


async def test_requests_are_counted_by_the_routes_template(client: httpx.AsyncClient) -> None:
    await client.get("/api/org_a/ask?number=4", headers=signed())
    metrics = (await client.get("/metrics")).text
    assert 'routiq_http_requests_total{method="GET",route="/api/{organization_id}/ask",status="200"}' in metrics
    assert "org_a" not in metrics
