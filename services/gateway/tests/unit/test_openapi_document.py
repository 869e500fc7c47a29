import copy
from typing import Any

from openapi_spec_validator import validate

from gateway.domain.openapi.document import merged
from gateway.entrypoints.documentation.files import own_description
from gateway.entrypoints.own import VERSION

PATIENTS = "/api/v1/patients/{organization_id}/patients"
FIGURES = "/api/v1/dashboard/{organization_id}"
HEALTH = "/api/v1/admin/monitoring/system-health"


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def described(path: str, schemas: dict[str, Any], **operation: Any) -> dict[str, Any]:
    """A service with one operation that answers with the first of its schemas."""
    answer = {"description": "Fine.", "content": {"application/json": {"schema": ref(next(iter(schemas)))}}}
    parameter = {"name": "organization_id", "in": "path", "required": True, "schema": {"type": "string"}}
    invalid = {"description": "Unprocessable", "content": {"application/json": {"schema": ref("Invalid")}}}
    responses = {"200": answer, "422": invalid, **operation.pop("responses", {})}
    get = {"parameters": [parameter] if "{" in path else [], "responses": responses, **operation}
    return {"paths": {path: {"get": get}}, "components": {"schemas": {**schemas, "Invalid": {"type": "object"}}}}


def document(**services: dict[str, Any]) -> dict[str, Any]:
    made = merged(own_description(), services)
    validate(made)
    return made


def answered(made: dict[str, Any], path: str) -> str:
    """The name of the schema that a path's GET answers with."""
    content = made["paths"][path]["get"]["responses"]["200"]["content"]
    return str(content["application/json"]["schema"]["$ref"]).rpartition("/")[2]


def test_the_gateways_own_part_is_a_whole_document_of_its_version() -> None:
    made = document()
    assert made["openapi"] == "3.1.0"
    assert made["info"]["version"] == VERSION
    assert made["paths"].keys() >= {"/", "/health", "/api/v1/auth/verify", "/openapi.json"}


def test_equal_names_that_mean_different_things_are_kept_apart() -> None:
    made = document(
        patients=described(PATIENTS, {"Summary": {"type": "object"}}),
        analytics=described(FIGURES, {"Summary": {"type": "array"}}),
    )
    schemas = made["components"]["schemas"]
    assert schemas[answered(made, PATIENTS)] == {"type": "object"}
    assert schemas[answered(made, FIGURES)] == {"type": "array"}
    assert "Summary" not in schemas


def test_equal_names_that_mean_the_same_stay_one() -> None:
    shared = {"Summary": {"type": "object"}}
    made = document(patients=described(PATIENTS, shared), analytics=described(FIGURES, copy.deepcopy(shared)))
    assert answered(made, PATIENTS) == answered(made, FIGURES) == "Summary"


def test_equal_texts_that_refer_to_different_things_are_kept_apart() -> None:
    listed = {"List": {"type": "array", "items": ref("Item")}}
    made = document(
        patients=described(PATIENTS, {**listed, "Item": {"type": "string"}}),
        analytics=described(FIGURES, {**listed, "Item": {"type": "integer"}}),
    )
    for path, kind in ((PATIENTS, "string"), (FIGURES, "integer")):
        items = made["components"]["schemas"][answered(made, path)]["items"]["$ref"].rpartition("/")[2]
        assert made["components"]["schemas"][items] == {"type": kind}


def test_a_service_cannot_take_a_name_from_the_gateway() -> None:
    made = document(patients=described(PATIENTS, {"Error": {"type": "string"}}))
    bad_request = made["components"]["responses"]["BadRequest"]["content"]["application/json"]["schema"]["$ref"]
    error = made["components"]["schemas"][bad_request.rpartition("/")[2]]
    assert error["required"] == ["error", "detail", "timestamp", "path"]


def test_what_cannot_be_reached_through_the_gateway_is_not_in_it() -> None:
    elsewhere = described("/internal/things", {"Thing": {"type": "object"}})
    strange = described(FIGURES, {"Stolen": {"type": "object"}})
    made = document(patients=elsewhere, sync=strange)
    assert made["paths"].keys() == document()["paths"].keys()
    assert made["components"]["schemas"].keys() == document()["components"]["schemas"].keys()


def test_every_refusal_has_the_envelope_and_422_is_none_of_them() -> None:
    made = document(patients=described(PATIENTS, {"List": {"type": "object"}}))
    responses = made["paths"][PATIENTS]["get"]["responses"]
    assert list(responses) == ["200", "400", "401", "403", "404", "429", "500", "502", "503", "504"]
    assert responses["404"] == {"$ref": "#/components/responses/NotFound"}
    assert "Invalid" not in made["components"]["schemas"]


def test_a_service_can_say_more_of_a_refusal() -> None:
    more = {"409": {"description": "Not at night."}}
    made = document(patients=described(PATIENTS, {"List": {"type": "object"}}, responses=more))
    conflict = made["paths"][PATIENTS]["get"]["responses"]["409"]
    assert conflict == {"$ref": "#/components/responses/Conflict", "description": "Not at night."}


def test_every_answer_has_the_budget_and_the_request_id() -> None:
    made = document(admin=described(HEALTH, {"SystemHealth": {"type": "object"}}))
    answers = [
        made["components"]["responses"][response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        for item in made["paths"].values()
        for operation in item.values()
        for response in operation["responses"].values()
    ]
    budget = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "X-Request-ID"}
    assert all(answer["headers"].keys() >= budget for answer in answers)


def test_all_but_the_core_needs_a_token_and_takes_an_organization_in_the_path_or_the_header() -> None:
    made = document(
        admin=described(HEALTH, {"SystemHealth": {"type": "object"}}),
        patients=described(PATIENTS, {"List": {"type": "object"}}),
    )
    for path, item in made["paths"].items():
        operation = item["get"]
        signed_in = path.startswith("/api/")
        assert operation["security"] == ([{"ClerkSession": []}] if signed_in else [])
        names = [parameter["$ref"].rpartition("/")[2] for parameter in operation.get("parameters", ())]
        assert ("OrganizationInPath" in names) == ("{organization_id}" in path)
        assert ("OrganizationInHeader" in names) == (signed_in and "{organization_id}" not in path)


def test_the_same_parts_make_the_same_document_in_whatever_order_they_came() -> None:
    parts = {
        "admin": described(HEALTH, {"Summary": {"type": "string"}}),
        "patients": described(PATIENTS, {"Summary": {"type": "object"}}),
    }
    assert str(document(**parts)) == str(document(**dict(reversed(parts.items()))))
