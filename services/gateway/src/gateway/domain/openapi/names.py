"""Component schemas of several services under one roof: equal names that mean different things are kept apart."""

from collections.abc import Iterator, Mapping
from typing import Any

Schemas = Mapping[str, Any]

_SCHEMA = "#/components/schemas/"


def named_apart(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each service's document with `service.Name` for every schema name that another service means otherwise."""
    apart = _ambiguous({service: _schemas(part) for service, part in parts.items()})
    return {service: _renamed(part, {name: f"{service}.{name}" for name in apart}) for service, part in parts.items()}


def referred_to(root: Any, schemas: Schemas) -> dict[str, Any]:
    """The schemas that `root` needs, and those that these need, by name in alphabetical order."""
    needed: set[str] = set()
    new = set(_references(root))
    while new:
        needed |= new
        new = {reference for name in new for reference in _references(schemas[name])} - needed
    return {name: schemas[name] for name in sorted(needed)}


def _schemas(part: Mapping[str, Any]) -> Schemas:
    found: Schemas = part.get("components", {}).get("schemas", {})
    return found


def _ambiguous(parts: Mapping[str, Schemas]) -> set[str]:
    """Names with more than one meaning: through themselves, or through a name they refer to."""
    meanings: dict[str, list[Any]] = {}
    for schemas in parts.values():
        for name, schema in schemas.items():
            meanings.setdefault(name, []).append(schema)
    shared = {name: found for name, found in meanings.items() if len(found) > 1}
    apart = {name for name, found in shared.items() if any(schema != found[0] for schema in found)}
    while more := {name for name in shared.keys() - apart if not apart.isdisjoint(_references(shared[name]))}:
        apart |= more
    return apart


def _references(node: Any) -> Iterator[str]:
    """The names of all schemas that a part of a document refers to."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_SCHEMA):
            yield reference.removeprefix(_SCHEMA)
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _renamed(part: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    references = {_SCHEMA + old: _SCHEMA + new for old, new in names.items()}
    document: dict[str, Any] = _with_references(part, references)
    schemas = {names.get(name, name): schema for name, schema in _schemas(document).items()}
    return {**document, "components": {**document.get("components", {}), "schemas": schemas}}


def _with_references(node: Any, references: Mapping[str, str]) -> Any:
    """A deep copy, with these references instead of those."""
    if isinstance(node, dict):
        copy = {key: _with_references(value, references) for key, value in node.items()}
        if "$ref" in node:
            copy["$ref"] = references.get(node["$ref"], node["$ref"])
        return copy
    if isinstance(node, list):
        return [_with_references(item, references) for item in node]
    return node
