"""What goes on beside requests, as uvicorn knows it: the ASGI lifespan, from before the first to after the last."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from starlette.types import ASGIApp, Receive, Scope, Send


def living(beside: Callable[[], AbstractAsyncContextManager[None]]) -> ASGIApp:
    """`beside` for as long as the server lives; requests go another way."""

    async def alive(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        async with beside():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return alive
