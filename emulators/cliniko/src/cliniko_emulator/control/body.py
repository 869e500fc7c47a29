"""What control requests are sent, and how they are refused."""

import json
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from cliniko_emulator.answers import RefusalError, as_json

Read = TypeVar("Read")


async def body(request: Request) -> dict[str, object]:
    try:
        content = json.loads(await request.body())
    except ValueError as error:
        raise unprocessable("the body is not JSON") from error
    if not isinstance(content, dict):
        raise unprocessable("the body is not a JSON object")
    return content


def understood(read: Callable[[], Read]) -> Read:
    """What `read` gives; its ValueError becomes a 422 with the reason."""
    try:
        return read()
    except ValueError as error:
        raise unprocessable(str(error)) from error


def unprocessable(message: str) -> RefusalError:
    return RefusalError(as_json({"message": message}, 422))
