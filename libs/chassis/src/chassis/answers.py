"""Every way a FastAPI route can fail, answered with the one error envelope."""

from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from chassis.database import is_outage
from chassis.errors import Refusal, envelope
from chassis.logs import describe
from chassis.metrics import template

log = structlog.get_logger()


def install(app: FastAPI) -> None:
    """Register the handlers; nothing a client sees names an internal."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in (DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, Exception):
        app.add_exception_handler(kind, _failed)


def _answer(request: Request, status: int, detail: str, **more: Any) -> JSONResponse:
    return JSONResponse(envelope(status, detail, request.url.path, **more), status_code=status)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for this type alone; narrows it for the checker
    return _answer(request, error.status, error.detail)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    problems = [{"loc": list(p["loc"]), "msg": p["msg"], "type": p["type"]} for p in error.errors()]
    first = problems[0]
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


async def _failed(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", **describe(error))
    if is_outage(error):
        return _answer(request, 503, "The database cannot be reached. Please try again in a moment.")
    return _answer(request, 500, "The server could not answer this request. It has been logged.")
