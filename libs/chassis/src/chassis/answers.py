"""Every way a FastAPI route can fail, answered with the one error envelope."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from chassis.errors import Refusal, envelope
from chassis.logs import describe
from chassis.metrics import template
from chassis.outages import is_outage, sqlstate_of

log = structlog.get_logger()

UNSTORABLE_TEXT = ("22021", "22P05")
"""PostgreSQL's codes for a NUL or half a surrogate pair in a text."""


def install(app: FastAPI) -> None:
    """Register the handlers of what can be foreseen; `Observed` answers the rest with `failure`."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _answer(request: Request, status: int, detail: str, **more: Any) -> JSONResponse:
    return JSONResponse(envelope(status, detail, request.url.path, **more), status_code=status)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for this type alone; narrows it for the checker
    return _answer(request, error.status, error.detail)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    problems = [{"loc": list(p["loc"]), "msg": p["msg"], "type": p["type"]} for p in error.errors()]
    if problems[0]["loc"][0] == "body" and "json" not in request.headers.get("content-type", "application/json"):
        return _answer(request, 400, "Send the body as application/json.", errors=problems)
    first = problems[0]
    if first["type"] == "json_invalid":
        return _answer(request, 400, "The body is not valid JSON.", errors=problems)
    name = ".".join(str(part) for part in first["loc"])
    return _answer(request, 400, f"{name}: {first['msg']}", errors=problems)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    response = _answer(request, error.status_code, error.detail)
    response.headers.update(error.headers or {})
    methods = request.app.openapi()["paths"].get(template(request.scope)) if error.status_code == 405 else None
    if methods:  # Starlette names those of the first route that fits the address
        response.headers["Allow"] = ", ".join(sorted(map(str.upper, methods)))
    return response


def failure(request: Request, error: Exception) -> JSONResponse:
    """The answer to an error nobody foresaw, which is logged."""
    log.error("request failed", **describe(error))
    if is_outage(error):
        return _answer(request, 503, "The database cannot be reached. Please try again in a moment.")
    if sqlstate_of(error) in UNSTORABLE_TEXT:
        return _answer(request, 400, "The request holds characters that cannot be looked up.")
    return _answer(request, 500, "The server could not answer this request. It has been logged.")
