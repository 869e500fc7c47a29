"""Effects on what a good answer holds: bytes that are no JSON, totals and links that mislead, odd records."""

import gzip as compression
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cliniko_emulator.answers import Answer
from cliniko_emulator.call import Call
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.faults.fault import Effect, Proceed
from cliniko_emulator.shape import to_json

_MOMENT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z"')
_ABROAD = timezone(timedelta(hours=10))


def _changing(change: Callable[[Answer], None]) -> Effect:
    async def effect(_call: Call, proceed: Proceed) -> Answer:
        answer = await proceed()
        if answer.status == 200:
            change(answer)
        return answer

    return effect


def _editing(edit: Callable[[dict[str, Any]], None]) -> Effect:
    """For lists; a single record is left as it is."""

    def change(answer: Answer) -> None:
        content = json.loads(answer.body)
        if "total_entries" in content:
            edit(content)
            answer.body = to_json(content).encode()

    return _changing(change)


def garble(_cliniko: Cliniko, *, content: str = '{"patients":[{"id":"1",') -> Effect:
    """A 200 that calls itself JSON and is none."""

    def change(answer: Answer) -> None:
        answer.body = content.encode()

    return _changing(change)


def content_type(_cliniko: Cliniko, *, content_type: str | None = "text/html") -> Effect:
    def change(answer: Answer) -> None:
        answer.content_type = content_type or "application/octet-stream"

    return _changing(change)


def gzip(_cliniko: Cliniko, *, broken: bool = False) -> Effect:
    """Compressed whether the client asked for it or not; `broken` spoils the bytes."""

    def change(answer: Answer) -> None:
        answer.body = compression.compress(answer.body, 1)
        answer.headers["Content-Encoding"] = "gzip"
        if broken:
            answer.body = answer.body[: len(answer.body) // 2]

    return _changing(change)


def total_entries(_cliniko: Cliniko, *, add: int | None = None, value: object = None) -> Effect:
    """A total that lies, by so much or altogether."""

    def edit(content: dict[str, Any]) -> None:
        content["total_entries"] = value if add is None else content["total_entries"] + add

    return _editing(edit)


def next_link(_cliniko: Cliniko, *, to: str) -> Effect:
    """`missing`, `self` (a loop), `foreign` (another host), `scheme` (http for https and back), or an address."""

    def edit(content: dict[str, Any]) -> None:
        links = content["links"]
        parts = urlsplit(links.pop("next", links["self"]))
        other = "http" if parts.scheme == "https" else "https"
        leads = {
            "self": links["self"],
            "foreign": urlunsplit(parts._replace(netloc="api.elsewhere.example")),
            "scheme": urlunsplit(parts._replace(scheme=other)),
        }
        if to != "missing":
            links["next"] = leads.get(to, to)

    return _editing(edit)


def records(
    _cliniko: Cliniko,
    *,
    values: Mapping[str, object] | None = None,
    omit: Sequence[str] = (),
    repeat: int = 0,
) -> Effect:
    """Every record of a list gets these values (new fields too) and loses those; the first `repeat` come twice."""

    def edit(content: dict[str, Any]) -> None:
        for listed in [value for value in content.values() if isinstance(value, list)]:
            for record in listed:
                record |= values or {}
                for name in omit:
                    record.pop(name, None)
            listed += listed[:repeat]

    return _editing(edit)


def datetimes(_cliniko: Cliniko, *, style: str) -> Effect:
    """All times as a `fraction` (.123Z) or with an `offset` (+10:00), the same seconds."""
    write = {"fraction": _with_fraction, "offset": _with_offset}[style]

    def change(answer: Answer) -> None:
        answer.body = _MOMENT.sub(write, answer.body.decode()).encode()

    return _changing(change)


def _with_fraction(match: re.Match[str]) -> str:
    return f'"{match[1]}.123Z"'


def _with_offset(match: re.Match[str]) -> str:
    moment = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    return f'"{moment.astimezone(_ABROAD).isoformat()}"'
