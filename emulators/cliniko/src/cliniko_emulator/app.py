"""Puts the emulator together."""

from collections.abc import Iterable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cliniko_emulator.accounts import Account
from cliniko_emulator.answers import RefusalError, no_such_route
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.control.behaviour import Behaviour
from cliniko_emulator.control.records import Records
from cliniko_emulator.faults.faults import Faults
from cliniko_emulator.gate import Gate
from cliniko_emulator.requests import Requests
from cliniko_emulator.service import Service
from cliniko_emulator.settings import Settings
from cliniko_emulator.world.generate import generate


def create_app(accounts: Iterable[Account], *, rate_limit: int = 200, latency_ms: int = 0) -> ASGIApp:
    """An ASGI application that serves these clinics as they stand today; `rate_limit` is requests a minute per key."""
    today = datetime.now(UTC).date()
    cliniko = Cliniko(generate(account, today) for account in accounts)
    for clinic in cliniko.clinics:
        clinic.patients.prepare("created_at", "updated_at")
        clinic.individual_appointments.prepare("created_at", "updated_at")
    faults, requests = Faults(cliniko), Requests()
    settings = Settings(faults, rate_limit=rate_limit, latency_ms=latency_ms)
    api = Service(cliniko, faults, settings, requests, Gate(cliniko, settings))
    control = Starlette(
        routes=[*Behaviour(cliniko, faults, settings, requests).routes(), *Records(cliniko).routes()],
        exception_handlers=dict.fromkeys((RefusalError, 404, 405), _answer),
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """The API is served without a framework: its pages are many and large."""
        is_api = scope["type"] == "http" and not scope["path"].startswith("/_control/")
        await (api if is_api else control)(scope, receive, send)

    return app


def _answer(_request: Request, error: Exception) -> Response:
    answer = error.answer if isinstance(error, RefusalError) else no_such_route()
    return Response(answer.body, answer.status, headers={"content-type": answer.content_type})
