"""The whole: the gateway's own part, and what the services say of themselves."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.openapi import refusals
from gateway.domain.openapi.names import named_apart, referred_to
from gateway.domain.openapi.operations import published
from gateway.domain.routing import GATEWAY, SERVICES, match

Document = Mapping[str, Any]
_METHODS = ("get", "put", "post", "delete", "patch")


def merged(own: Document, services: Mapping[str, Document]) -> dict[str, Any]:
    """One document of all parts: the same parts always make the same text, in whatever order they came."""
    own = {**own, "components": {**own["components"], "responses": refusals.responses()}}
    parts = named_apart({GATEWAY: own, **{name: services[name] for name in SERVICES if name in services}})
    paths = {path: item for service, part in parts.items() for path, item in _paths(part, service).items()}
    components = {key: value for key, value in parts[GATEWAY]["components"].items() if key != "schemas"}
    schemas = {name: schema for part in parts.values() for name, schema in part["components"]["schemas"].items()}
    return {
        "openapi": "3.1.0",
        **{key: own[key] for key in ("info", "servers", "tags")},
        "paths": paths,
        "components": {**components, "schemas": referred_to([paths, components], schemas)},
    }


def _paths(part: Document, service: str) -> dict[str, Any]:
    """What of a service can be reached through the gateway."""
    found = {}
    for path, item in part["paths"].items():
        route = match(path).route
        if route.service == service:
            found[path] = {
                method: published(operation, path, method, route)
                for method, operation in item.items()
                if method in _METHODS
            }
    return found
