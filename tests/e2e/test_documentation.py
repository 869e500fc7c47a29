"""The document against the system it describes, and its pages in a browser that can reach nothing else."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from tests.conftest import KEYS, RIDGE, System
from tests.e2e.browser import COMMAND, Browser, browser

pytestmark = pytest.mark.e2e
SERVICE_PORTS = ("PATIENTS_PORT", "SYNC_PORT", "ANALYTICS_PORT", "ADMIN_PORT")
NOBODY, STREAM = "org_nobody", "text/event-stream"
REFUSED = {
    "cancel_sync": 409,
    "erase_patient": 404,
    "dead_letter": 404,
    "dead_letter_redrive": 404,
    "drop_dead_letters": 400,
}
"""The run is over by then, nobody has a patient, nothing is dead, and nothing is dropped without a reason."""
LETTER = {"queue": "patients.sync.patients.synced.v1", "letter_id": str(UUID(int=1)), "redrive_id": str(UUID(int=2))}


class Operation(NamedTuple):
    """One thing the document says can be done."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def signed_in(self) -> bool:
        return bool(self.described["security"])


@pytest.fixture(scope="module")
def document(system: System) -> dict[str, Any]:
    return dict(httpx.get(system.url("/openapi.json")).raise_for_status().json())


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    return [Operation(method, path, one) for path, item in document["paths"].items() for method, one in item.items()]


@pytest.fixture(scope="module")
def page(system: System) -> Iterator[Browser]:
    if COMMAND is None:
        pytest.skip("no Chromium on this machine")
    with browser() as opened:
        yield opened


def problems(document: dict[str, Any], operation: Operation, answer: httpx.Response) -> list[str]:
    """What of an answer is not as documented."""
    described = operation.described["responses"].get(str(answer.status_code))
    if described is None:
        return [f"status {answer.status_code}"]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    missing = [f"no header {name}" for name in described["headers"] if name not in answer.headers]
    if STREAM in described.get("content", {}):
        return missing if answer.headers["content-type"].startswith(STREAM) else [*missing, "no stream"]
    schema = {**described["content"]["application/json"]["schema"], "components": document["components"]}
    return missing + [error.message for error in Draft202012Validator(schema).iter_errors(answer.json())]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    names = [one["operationId"] for item in document["paths"].values() for one in item.values()]
    assert len(names) == len(set(names))


def test_every_path_of_every_service_is_in_it(system: System, document: dict[str, Any]) -> None:
    for port in SERVICE_PORTS:
        service = httpx.get(f"http://127.0.0.1:{system.environment[port]}/openapi.json").json()
        assert service["paths"].keys() <= document["paths"].keys()


def test_every_example_is_what_its_schema_says(document: dict[str, Any]) -> None:
    components = document["components"]
    found = [(schema, example) for schema in components["schemas"].values() for example in schema.get("examples", ())]
    contents = [response["content"]["application/json"] for response in components["responses"].values()]
    found += [(content["schema"], content["example"]) for content in contents]
    assert len(found) > 20
    for schema, example in found:
        Draft202012Validator({**schema, "components": components}).validate(example)


def test_every_answer_has_a_shape_and_an_example(document: dict[str, Any], operations: list[Operation]) -> None:
    for operation in operations:
        content = operation.described["responses"]["200"]["content"]
        if STREAM in content:
            assert content[STREAM]["example"]
            continue
        schema = content["application/json"]["schema"]
        if operation.described["operationId"] != "openapi":
            named = schema.get("items", schema)["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][named].get("examples"), f"{named} has no example"


def test_every_operation_answers_as_documented(
    system: System, document: dict[str, Any], operations: list[Operation]
) -> None:
    run = system.get(f"/api/v1/dashboard/{RIDGE}", RIDGE)["recent_activity"][0]["id"]
    patient = system.get(f"/api/v1/patients/{RIDGE}/patients", RIDGE)["patients"][0]["id"]
    operator = system.command("token", "--operator").stdout.strip()
    values = {"sync_id": run, "patient_id": patient, "appointment_type": quote("Physio / long", safe="")}
    values |= LETTER
    for operation in operations:
        values["organization_id"] = organization = NOBODY if operation.method == "delete" else RIDGE
        token = operator if "/admin/" in operation.path else system.token(organization)
        body = {"api_key": KEYS[RIDGE]} if "requestBody" in operation.described else None
        url, headers = system.url(operation.path.format(**values)), {"authorization": f"Bearer {token}"}
        answer = httpx.request(operation.method, url, headers=headers, timeout=30, json=body)
        expected = REFUSED.get(operation.described["operationId"], 200)
        assert answer.status_code == expected, (operation.path, answer.text)
        assert problems(document, operation, answer) == [], operation.path


def test_every_operation_refuses_strangers_and_strange_organizations_as_documented(
    system: System, document: dict[str, Any], operations: list[Operation]
) -> None:
    values = {
        "organization_id": NOBODY,
        "sync_id": "sync_1",
        "appointment_type": "Physiotherapy",
        "patient_id": "f1ef3023-1eac-55be-b4a6-cff30ba93542",
        **LETTER,
    }
    for operation in filter(lambda one: one.signed_in, operations):
        url = system.url(operation.path.format(**values))
        for status, headers in (
            (401, {}),
            (401, {"authorization": "Bearer wrong"}),
            (400, {"authorization": f"Bearer {system.token(NOBODY)}", "x-organization-id": "clinic 7"}),
            (403, {"authorization": f"Bearer {system.token(NOBODY)}", "x-organization-id": RIDGE}),
        ):
            if status == 403 and "{organization_id}" in operation.path:
                continue  # the path names another one: 400
            answer = httpx.request(operation.method, url, headers=headers, timeout=30)
            assert answer.status_code == status, (operation.path, answer.text)
            assert problems(document, operation, answer) == [], operation.path


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_shows_the_document_in_a_browser_without_a_network(system: System, page: Browser, path: str) -> None:
    page.forget()
    page.open(system.url(path))
    page.until("['Routiq Backend API', 'Start Sync'].every(text => document.body.innerText.includes(text))")
    assert page.complaints == []
    from_here = (system.url("/"), "data:", f"blob:{system.url('/')}")
    assert [url for url in page.requested if not url.startswith(from_here)] == []
    assert system.url("/openapi.json") in page.requested


def test_an_operation_can_be_tried_out_on_the_page(system: System, page: Browser) -> None:
    page.forget()
    page.open(system.url("/docs"))
    root = "document.querySelector('#operations-Core-root {}')"
    for button in (".opblock-summary-control", ".try-out__btn", ".execute"):
        page.until(f"{root.format(button)} !== null")
        page.run(f"{root.format(button)}.click()")
    page.until(f"{root.format('.live-responses-table .response-col_status')} !== null")
    assert "Routiq Backend API" in page.run(f"{root.format('.live-responses-table')}.innerText")
    assert page.complaints == []
