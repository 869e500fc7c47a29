"""Effects that answer in Cliniko's place: any status with any kind of body, and the limit's 429."""

import json
from collections.abc import Mapping
from typing import Any

from cliniko_emulator import answers
from cliniko_emulator.answers import HTML, JSON, TEXT, Answer
from cliniko_emulator.call import Call
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.faults.fault import Effect, Proceed
from cliniko_emulator.limits import WINDOW_SECONDS

_A_YEAR = 365 * 86_400
_KINDS = {"empty": TEXT, "html": HTML, "json": JSON, "text": TEXT}
_VALIDATION = {
    "message": "Validation Failed",
    "errors": {"base": "Something is missing", "first_name": "can\u2019t be blank"},
}


def status(
    cliniko: Cliniko,
    *,
    status: int,
    body: str | None = None,
    content: object = None,
    headers: Mapping[str, str] | None = None,
) -> Effect:
    """`body` is html, json, text or empty, else what Cliniko sends with that status; `content` is sent as it is."""
    if not isinstance(status, int) or not 100 < status < 600 or body not in {None, *_KINDS}:
        raise ValueError("status needs a status, and a body that is html, json, text or empty")
    extra = {str(name): str(value) for name, value in (headers or {}).items()}

    async def effect(_call: Call, _proceed: Proceed) -> Answer:
        answer = _usual(status, cliniko) if body is None and content is None else _made(status, body, content)
        answer.headers |= extra
        return answer

    return effect


def _usual(status: int, cliniko: Cliniko) -> Answer:
    match status:
        case 401:
            return answers.unauthorized(cliniko.switches.unauthorized_body)
        case 403:
            return Answer(403)
        case 404:
            return answers.no_such_record()
        case 422:
            return answers.as_json(_VALIDATION, 422)
        case 429:
            return answers.too_many_requests(cliniko.now() + WINDOW_SECONDS)
    return answers.page(status, "Something went wrong.")


def _made(status: int, kind: str | None, content: object) -> Answer:
    if content is not None:
        return Answer(status, content.encode() if isinstance(content, str) else json.dumps(content).encode(), JSON)
    page = answers.page(status, "Something went wrong.")
    bodies = {"empty": b"", "html": page.body, "json": b'{"message":"Something went wrong."}', "text": b"Sorry.\n"}
    return Answer(status, bodies[kind or "empty"], _KINDS[kind or "empty"])


def limit(cliniko: Cliniko, *, reset: str | float = 60, retry_after: Any = None) -> Effect:
    """A 429 whose `reset` is so many seconds away, or missing, past, far or garbled; `retry_after` is sent as it is."""
    offsets = {"past": -WINDOW_SECONDS, "far": _A_YEAR}
    if not isinstance(reset, int | float) and reset not in {*offsets, "missing", "garbled"}:
        raise ValueError("reset is a number of seconds, missing, past, far or garbled")

    async def effect(_call: Call, _proceed: Proceed) -> Answer:
        seconds = reset if isinstance(reset, int | float) else offsets.get(reset, 0)
        answer = answers.too_many_requests(cliniko.now() + seconds)
        if reset == "missing":
            del answer.headers["X-RateLimit-Reset"]
        if reset == "garbled":
            answer.headers["X-RateLimit-Reset"] = "in a minute"
        if retry_after is not None:
            answer.headers["Retry-After"] = str(retry_after)
        return answer

    return effect
