"""The addresses of Clerk that Routiq uses, and a few of our own: for tokens, keys, memberships and messages."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from json import JSONDecodeError

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clerk_emulator.keys import SigningKey
from clerk_emulator.memberships import DEFAULT_LIMIT, Memberships
from clerk_emulator.sessions import Session
from clerk_emulator.webhooks import Webhooks

Answer = Callable[[Request], Awaitable[Response]]


class Clerk:
    """An instance of Clerk whose tokens name `issuer`; its Backend API opens to who has the secret key."""

    def __init__(self, issuer: str, key: SigningKey, secret_key: str | None, webhooks: Webhooks | None) -> None:
        self._issuer, self._key, self._secret_key = issuer, key, secret_key
        self._memberships, self._webhooks = Memberships(), webhooks

    def app(self) -> Starlette:
        """What answers for it."""
        return Starlette(
            routes=[
                Route("/.well-known/jwks.json", self._jwks),
                Route("/v1/users/{user_id}/organization_memberships", _checked(self._list_memberships)),
                Route("/memberships/{user_id}", _checked(self._set_memberships), methods=["PUT"]),
                Route("/tokens", _checked(self._issue_token), methods=["POST"]),
                Route("/webhooks", _checked(self._send_webhook), methods=["POST"]),
                Route("/rotate", self._rotate, methods=["POST"]),
            ]
        )

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.jwk()]})

    async def _list_memberships(self, request: Request) -> Response:
        offered = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._secret_key is None or not hmac.compare_digest(offered.encode(), self._secret_key.encode()):
            return _refusal(401, "authentication_invalid", "Invalid authentication")
        limit = int(request.query_params.get("limit", DEFAULT_LIMIT))
        offset = int(request.query_params.get("offset", 0))
        return JSONResponse(self._memberships.page(request.path_params["user_id"], limit, offset))

    async def _set_memberships(self, request: Request) -> Response:
        self._memberships.set(request.path_params["user_id"], await request.json())
        return Response(status_code=204)

    async def _issue_token(self, request: Request) -> Response:
        session = Session(**await request.json())
        return JSONResponse({"token": self._key.sign(session.claims(self._issuer, int(time.time())))})

    async def _send_webhook(self, request: Request) -> Response:
        wanted = await request.json()
        if self._webhooks is None:
            return _refusal(404, "resource_not_found", "No endpoint: give --webhook-url and CLERK_WEBHOOK_SECRET")
        try:
            return JSONResponse(await asyncio.to_thread(self._webhooks.send, **wanted))
        except OSError:
            return _refusal(502, "endpoint_away", "The endpoint does not answer")

    async def _rotate(self, _request: Request) -> Response:
        self._key.rotate()
        return JSONResponse({"kid": self._key.jwk()["kid"]})


def _checked(answer: Answer) -> Answer:
    """`answer`, or Clerk's refusal of parameters that are wrong."""

    async def checked(request: Request) -> Response:
        try:
            return await answer(request)
        except (JSONDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
            return _refusal(422, "form_param_invalid", str(error))

    return checked


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"errors": [{"code": code, "message": message}]}, status)
