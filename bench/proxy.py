"""A plain proxy on the gateway's own client: no token, no budget, no identity."""

import os

from starlette.types import Receive, Scope, Send

from gateway.adapters.connection import Request
from gateway.adapters.heads import request_head, response_headers
from gateway.adapters.services import Service

PATIENCE_SECONDS = 30.0
SERVICE = Service("bench", os.environ.get("UPSTREAM", "http://127.0.0.1:9"))


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    """Pass a GET on and its answer back."""
    head = request_head(scope["method"], scope["raw_path"], SERVICE.host, scope["headers"], b"")
    connection, response = await SERVICE.ask(Request(scope["method"], head), PATIENCE_SECONDS)
    try:
        headers = response_headers(response.status, response.headers)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        more = True
        while more:
            body, more = await response.read(PATIENCE_SECONDS)
            await send({"type": "http.response.body", "body": body, "more_body": more})
    finally:
        SERVICE.release(connection)
