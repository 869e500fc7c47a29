"""The JSON schema of every event: `python -m contracts.schemas DIRECTORY` writes them where tests compare them."""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.base import Event
from contracts.routes import ROUTES

EVENTS: tuple[type[Event], ...] = tuple(dict.fromkeys(route.event for route in ROUTES))
Schema = dict[str, Any]
ADVICE = "Optional fields may be added; anything else gets a new version beside the old one (docs/deploys.md)."


def file_name(event: type[Event]) -> str:
    """`<topic>.v<version>.json`: a new version gets a file of its own."""
    return f"{event.topic}.v{event.version}.json"


def breaking_changes(old: Schema, new: Schema, at: str = "") -> list[str]:
    """What a consumer or a stored message of the old schema could trip over in the new one."""
    found = [
        f"{at or '/'}: {key} changed" for key in _constraints(old) | _constraints(new) if old.get(key) != new.get(key)
    ]
    found += [f"{at}/{name} became required" for name in set(new.get("required", ())) - set(old.get("required", ()))]
    found += [
        f"{at}/{name} is no longer certain" for name in set(old.get("required", ())) - set(new.get("required", ()))
    ]
    for part in ("properties", "$defs"):
        for name, schema in old.get(part, {}).items():
            if name not in new.get(part, {}):
                found.append(f"{at}/{name} is gone")
            else:
                found += breaking_changes(schema, new[part][name], f"{at}/{name}")
    return found


def _constraints(schema: Schema) -> set[str]:
    return set(schema) - {"properties", "$defs", "required", "title", "description"}


def write(directory: Path) -> None:
    """Take the schemas of today as the ones to compare with.

    Exits, and has written nothing, where one breaks what its file promises.
    """
    texts = {directory / file_name(event): event.model_json_schema() for event in EVENTS}
    if broken := [line for file, schema in texts.items() for line in _broken(file, schema)]:
        sys.exit("\n".join([*broken, f"Nothing was written. {ADVICE}"]))
    for file, schema in texts.items():
        file.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n")


def _broken(file: Path, schema: Schema) -> list[str]:
    found = breaking_changes(json.loads(file.read_text()), schema) if file.exists() else []
    return [f"{file.name}{one}" for one in found]


if __name__ == "__main__":
    write(Path(sys.argv[1]))
