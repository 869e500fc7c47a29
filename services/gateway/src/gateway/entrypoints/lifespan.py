"""The ASGI lifespan: what goes on beside requests, from before the first to after the last."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from starlette.types import ASGIApp, Receive, Scope, Send


def living(app: ASGIApp, beside: Callable[[], AbstractAsyncContextManager[None]]) -> ASGIApp:
    """`app` for requests, `beside` for as long as the server lives."""

    async def alive(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)
        elif scope["type"] == "lifespan":
            await receive()
            async with beside():
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})

    return alive
