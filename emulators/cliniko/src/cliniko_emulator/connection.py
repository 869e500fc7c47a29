"""What ASGI does not offer: the connection below a request. uvicorn's is reached through its `send`."""

import asyncio
from types import MethodType
from typing import Any, cast

from starlette.types import Receive, Send


class HungUp(Exception):
    """The request gets no answer; its connection is gone."""


def hide_server(send: Send) -> None:
    """Leaves out the server's own `date` and `server`: the emulator's clock may differ from the machine's."""
    _cycle(send).default_headers = []


async def close(receive: Receive, send: Send) -> None:
    """Ends the connection after what was written so far."""
    _cycle(send).transport.close()
    await gone(receive)


async def reset(receive: Receive, send: Send) -> None:
    """Throws the connection away, with what is unsent."""
    _cycle(send).transport.abort()
    await gone(receive)


async def gone(receive: Receive, seconds: float | None = None) -> None:
    """Returns when the client has gone, or after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _cycle(send: Send) -> Any:
    return cast(MethodType, send).__self__
