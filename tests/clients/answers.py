"""What a client written for one OpenAPI document can no longer rely on in the answers that another describes."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Placed = tuple[Json, Json]
"""A schema, and the document that its references lead into."""


def lost(before: Json, after: Json) -> list[str]:
    """Answers and keys that are gone or may be missing, and values of a kind that they never had."""
    was, now = _answers(before), _answers(after)
    gone = [f"{name} is gone" for name in was if name not in now]
    return gone + [line for name in was if name in now for line in _narrowed(name, was[name], now[name])]


def _answers(document: Json) -> dict[str, Placed]:
    return {
        f"{method} {path} {status} {kind}": (content.get("schema", {}), document)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        for kind, content in _found(answer, document).get("content", {"": {}}).items()
    }


def _narrowed(where: str, old: Placed, new: Placed) -> Iterator[str]:
    was, now = _variants(*old), _variants(*new)
    if strange := sorted(now.keys() - was.keys()):
        yield f"{where} can now be {', '.join(strange)}"
    for kind in sorted(was.keys() & now.keys()):
        before, after = was[kind], now[kind]
        for key, schema in before.get("properties", {}).items():
            if key not in after.get("properties", {}):
                yield f"{where}.{key} is gone"
                continue
            if key in before.get("required", ()) and key not in after.get("required", ()):
                yield f"{where}.{key} may be missing"
            yield from _narrowed(f"{where}.{key}", (schema, old[1]), (after["properties"][key], new[1]))
        for inner in ("items", "additionalProperties"):
            if isinstance(before.get(inner), dict):
                yield from _narrowed(f"{where}[]", (before[inner], old[1]), (after.get(inner, {}), new[1]))


def _variants(schema: Json, document: Json) -> dict[str, Json]:
    """What a value may be, by its kind."""
    schema = _found(schema, document)
    if "anyOf" in schema:
        return {kind: variant for each in schema["anyOf"] for kind, variant in _variants(each, document).items()}
    types = schema.get("type", "anything")
    formats = [schema["format"]] if "format" in schema else []
    return {" ".join([kind, *formats]): schema for kind in ([types] if isinstance(types, str) else types)}


def _found(part: Json, document: Json) -> Json:
    """Where its reference leads, if it is one."""
    for step in part.get("$ref", "#").split("/")[1:]:
        part = document = document[step]
    return part
