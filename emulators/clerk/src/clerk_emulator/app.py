"""The addresses of Clerk that Routiq uses, and two of our own to make and rotate."""

import time
from json import JSONDecodeError

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clerk_emulator.keys import SigningKey
from clerk_emulator.sessions import Session


def clerk(issuer: str, key: SigningKey) -> Starlette:
    """An instance of Clerk whose tokens name `issuer`."""

    async def jwks(_request: Request) -> Response:
        return JSONResponse({"keys": [key.jwk()]})

    async def issue_token(request: Request) -> Response:
        try:
            session = Session(**await request.json())
        except (JSONDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
            return JSONResponse({"errors": [{"code": "form_param_invalid", "message": str(error)}]}, 422)
        return JSONResponse({"token": key.sign(session.claims(issuer, int(time.time())))})

    async def rotate(_request: Request) -> Response:
        key.rotate()
        return JSONResponse({"kid": key.jwk()["kid"]})

    return Starlette(
        routes=[
            Route("/.well-known/jwks.json", jwks),
            Route("/tokens", issue_token, methods=["POST"]),
            Route("/rotate", rotate, methods=["POST"]),
        ]
    )
