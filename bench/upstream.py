"""The service behind: answers everything with the same 2 kB."""

from starlette.types import Receive, Scope, Send

BODY = b'{"patients":[' + b",".join([b'"' + b"x" * 60 + b'"'] * 31) + b"]}"
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
    """The least a server can do."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
