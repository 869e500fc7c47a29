"""`docker-compose.yml` as Docker reads it: merged, with the variables of an environment filled in."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

WORKSPACE = Path(__file__).parents[2]
FILE = WORKSPACE / "docker-compose.yml"
DEMO = WORKSPACE / "deploy" / "demo" / "demo.env"

VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<rest>[^}]*))?\})")
SERVICES = ("gateway", "patients", "sync", "analytics", "admin")
OURS = (*SERVICES, "migrations", "cliniko", "clerk", "clinics")


class NotSet(Exception):
    """A variable that must be given; its text is what Docker would say."""


def raw() -> dict[str, Any]:
    """Merged, with its variables as they are written."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return document


def read(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file for these variables. Raises NotSet, as `docker compose` refuses, when one is missing or empty."""
    filled: dict[str, Any] = _filled(raw(), environment)
    return filled


def services(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return dict(read(environment)["services"])


def variables() -> Iterator[tuple[str, str | None, str]]:
    """Each use of a variable: its name, `?`, `-` or none, and what is said or taken when it is missing."""
    for text in _texts(raw()):
        for found in VARIABLE.finditer(text):
            if not found["dollar"]:
                yield found["name"], found["kind"], found["rest"] or ""


def required() -> set[str]:
    return {name for name, kind, _ in variables() if kind == "?"}


def demo_variables() -> dict[str, str]:
    """Those of demo.env."""
    lines = (line for line in DEMO.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def upgrade() -> list[str]:
    """The commands of docs/deployment.md, in their order."""
    page = (WORKSPACE / "docs" / "deployment.md").read_text()
    return page.partition("## Upgrade\n")[2].partition("```sh\n")[2].partition("```")[0].splitlines()


def seconds(duration: str) -> float:
    """Of `90s` or `2m`."""
    return float(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(entry, environment) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, environment) for entry in value]
    return VARIABLE.sub(lambda found: _value(found, environment), value) if isinstance(value, str) else value


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    given = environment.get(found["name"], "")
    if given or found["kind"] is None:
        return given
    if found["kind"] == "?":
        raise NotSet(f"{found['name']}: {found['rest']}")
    return found["rest"]


def _texts(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for entry in value.values():
                yield from _texts(entry)
        case list():
            for entry in value:
                yield from _texts(entry)
        case str():
            yield value
