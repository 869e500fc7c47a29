"""An operation as callers meet it at the gateway, made of how its service describes it."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.openapi.refusals import HEADERS, reference
from gateway.domain.routing import GATEWAY, Access, Route

_ORGANIZATION_IN_PATH = {"$ref": "#/components/parameters/OrganizationInPath"}
_ORGANIZATION_IN_HEADER = {"$ref": "#/components/parameters/OrganizationInHeader"}


def published(operation: Mapping[str, Any], path: str, method: str, route: Route) -> dict[str, Any]:
    """The operation with who may use it, what every answer carries, and every way it can be refused."""
    members = route.access is not Access.ANYONE
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", ())]
    if members and "{organization_id}" not in path:
        parameters.append(_ORGANIZATION_IN_HEADER)
    return {
        **operation,
        "security": [{"ClerkSession": []}] if members else [],
        **({"parameters": parameters} if parameters else {}),
        "responses": _responses(operation["responses"], _refusals(path, method, route)),
    }


def _parameter(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """The gateway checks the form of organizations' ids, so it is the one to describe it."""
    return _ORGANIZATION_IN_PATH if parameter.get("name") == "organization_id" else parameter


def _responses(described: Mapping[str, Any], refusals: set[int]) -> dict[str, Any]:
    own = {int(status): response for status, response in described.items() if status != "422"}
    refused = {status: reference(status) for status in refusals}
    answered = {status: _response(status, response) for status, response in own.items()}
    return {str(status): response for status, response in sorted({**refused, **answered}.items())}


def _response(status: int, response: Mapping[str, Any]) -> dict[str, Any]:
    if status >= 400 and "content" not in response:
        return reference(status, response["description"])
    return {**response, "headers": {**response.get("headers", {}), **HEADERS}}


def _refusals(path: str, method: str, route: Route) -> set[int]:
    refusals = {400, 429, 500}
    if route.access is not Access.ANYONE:
        refusals |= {401, 403, 503}
    if "{" in path:
        refusals |= {404}
    if route.service != GATEWAY:
        refusals |= {502, 503, 504}
        if method not in ("get", "head"):
            refusals |= {413}
    return refusals
