"""Puts the emulator together."""

from collections.abc import Iterable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from cliniko_emulator import api
from cliniko_emulator.accounts import Account
from cliniko_emulator.answers import RefusalError, bad_request, no_such_route
from cliniko_emulator.control import Control
from cliniko_emulator.faults import Faults
from cliniko_emulator.filters import QueryError
from cliniko_emulator.gate import Gate
from cliniko_emulator.world.generate import generate


def create_app(accounts: Iterable[Account], *, rate_limit: int = 200, latency_ms: int = 0) -> Starlette:
    """An ASGI application that serves these clinics as they stand today; `rate_limit` is requests a minute per key."""
    today = datetime.now(UTC).date()
    clinics = [generate(account, today) for account in accounts]
    faults = Faults(rate_limit=rate_limit, latency_ms=latency_ms)
    return Starlette(
        routes=[*Control(clinics, faults).routes(), *api.routes(Gate(clinics, faults))],
        exception_handlers=dict.fromkeys((RefusalError, QueryError, 404, 405), _answer),
    )


def _answer(_request: Request, error: Exception) -> Response:
    """A path or a verb Cliniko does not route answers with the web site's page, not with JSON."""
    match error:
        case RefusalError():
            return error.response
        case QueryError():
            return bad_request(str(error))
        case _:
            return no_such_route()
