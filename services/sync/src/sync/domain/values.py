"""Single values as Cliniko writes them, tolerant of what its records are known to hold.

Ids are text from link to record, `""` and null mean the same, an absent relation is an absent key.
"""

import re
from typing import Any

from sync.domain.clinic import Json

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""JSON can carry NUL and halves of surrogate pairs, PostgreSQL's text cannot."""
_ID = re.compile("[0-9]{1,19}", re.ASCII)


def identity(row: Any) -> str:
    """A row's id; empty when there is none, or none that is an id, so that nothing else passes for one."""
    given = str(row.get("id", "")) if isinstance(row, dict) else ""
    return given if is_id(given) else ""


def is_id(given: str) -> bool:
    """A positive int64 as text."""
    return _ID.fullmatch(given) is not None


def text(value: Any) -> Any:
    """None for an empty text; what is no text is left to the record's own validation."""
    return (UNSTORABLE.sub("", value) or None) if isinstance(value, str) else value


def yes(value: Any) -> bool:
    """Cliniko's own true; null and whatever else say no."""
    return value is True


def linked(row: Json, relation: str) -> str | None:
    """The id a relation leads to."""
    return path[-1] if (path := link_path(row, relation)) else None


def link_path(row: Json, relation: str) -> list[str]:
    """The parts of the address a relation leads to, its host among them; empty when it is absent."""
    link = ((row.get(relation) or {}).get("links") or {}).get("self")
    return str(link).partition("?")[0].partition("#")[0].rstrip("/").split("/") if link else []


def common(row: Json, *moments: str) -> dict[str, Any]:
    """What every record has, and its `moments`; the sequence is given when it lands."""
    times = {name: row.get(name) or None for name in moments}
    return {"sequence": 0, "created_at": row.get("created_at"), "updated_at": row.get("updated_at"), **times}
