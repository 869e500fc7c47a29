"""Answers that a client may keep, and ask about before it reads them again.

The validator (`ETag`) covers every member of a document but those that only say when it was made (`timestamp`,
`generated_at`): they stay true of the copy that has them. It covers all else that the clock moves, `minutes_ago` too:
whoever is answered 304 would read the same figures in a new document. It is a weak one, for the bytes would differ.

`Last-Modified` is the end of the last completed sync, the age of every figure; it is missing before the first one. It
is no validator, for figures change with the clock and while a sync is under way: `If-Modified-Since` is not looked at.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from contracts.timestamps import http_date

WHEN_IT_WAS_MADE: dict[str, Any] = {"timestamp": True, "generated_at": True, "summary": {"generated_at"}}

Known = Annotated[
    str | None, Header(alias="If-None-Match", description="The `ETag` of an answer that the client still has.")
]


def conditional(model: Any) -> dict[int | str, dict[str, Any]]:
    """How a route that answers with `answer` is described."""
    unchanged = "The answer with the `ETag` in `If-None-Match` is still true; only its time of making would differ."
    return {200: {"model": model}, 304: {"description": unchanged}}


def answer(document: BaseModel | Sequence[BaseModel], last_sync_time: datetime | None, known: str | None) -> Response:
    """The document, or 304 to a client that has it."""
    headers = {"ETag": _tag(document), "Cache-Control": "private, no-cache"}
    if last_sync_time is not None:
        headers["Last-Modified"] = http_date(last_sync_time)
    if known is not None and _names(known, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(to_json(document), media_type="application/json", headers=headers)


def _tag(document: BaseModel | Sequence[BaseModel]) -> str:
    if isinstance(document, BaseModel):
        covered = document.model_dump_json(exclude=WHEN_IT_WAS_MADE).encode()
    else:
        covered = to_json(document)
    return f'W/"{sha256(covered).hexdigest()[:32]}"'


def _names(known: str, tag: str) -> bool:
    """Whether a list of tags, strong or weak, has this one in it."""
    tags = {one.strip().removeprefix("W/") for one in known.split(",")}
    return not tags.isdisjoint({"*", tag.removeprefix("W/")})
