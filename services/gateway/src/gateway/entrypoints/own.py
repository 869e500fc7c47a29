"""What the gateway answers itself."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis.errors import Unauthorized
from contracts.timestamps import iso
from gateway import handlers
from gateway.adapters.clerk import SigningKeys
from gateway.adapters.readiness import Readiness
from gateway.domain.claims import REFUSED
from gateway.entrypoints.exchange import Exchange

VERSION = "2.0.0"

Answer = Callable[[Exchange], Awaitable[None]]


class OwnAnswers:
    """The answer to each route of the gateway's own, by template."""

    def __init__(
        self,
        readiness: Readiness,
        keys: SigningKeys,
        environment: Mapping[str, str | bool],
        documentation: Mapping[str, Answer],
    ) -> None:
        self._readiness, self._keys, self._environment = readiness, keys, environment
        self._by_template: Mapping[str, Answer] = {
            "/": self._root,
            "/health": self._health,
            "/health/live": self._live,
            "/health/ready": self._ready,
            "/metrics": self._metrics,
            "/api/v1/auth/verify": self._verify,
            "/api/v1/auth/organization/{organization_id}/access": self._access,
            **documentation,
        }

    def find(self, template: str) -> Answer | None:
        return self._by_template.get(template)

    async def _root(self, exchange: Exchange) -> None:
        content = {
            "message": "Routiq Backend API",
            "version": VERSION,
            "status": handlers.health(self._readiness.conditions)["status"],
            "timestamp": iso(datetime.now(UTC)),
            "docs": "/docs",
            "redoc": "/redoc",
        }
        await exchange.answer_json(200, content)

    async def _health(self, exchange: Exchange) -> None:
        found = handlers.health(self._readiness.conditions)
        environment = {
            **self._environment,
            "authentication_configured": True,  # the gateway does not start without an issuer
            "database_configured": found["database_configured"],
            "encryption_configured": found["encryption_configured"],
        }
        content = {
            "status": found["status"],
            "timestamp": iso(datetime.now(UTC)),
            "version": VERSION,
            "environment": environment,
            "services": found["services"],
        }
        await exchange.answer_json(200, content)

    async def _live(self, exchange: Exchange) -> None:
        await exchange.answer_json(200, {"status": "live"})

    async def _ready(self, exchange: Exchange) -> None:
        services = {name: condition.state == "ready" for name, condition in self._readiness.conditions.items()}
        checks = {"jwks": self._keys.usable, **services}
        ready = all(checks.values()) and not exchange.draining
        await exchange.answer_json(
            200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": checks}
        )

    async def _metrics(self, exchange: Exchange) -> None:
        await exchange.answer(200, generate_latest(), CONTENT_TYPE_LATEST.encode())

    async def _verify(self, exchange: Exchange) -> None:
        content = {
            "authenticated": True,
            "organization_id": _organization(exchange),
            "message": "Authentication successful",
        }
        await exchange.answer_json(200, content)

    async def _access(self, exchange: Exchange) -> None:
        content = {
            "organization_id": _organization(exchange),
            "access_granted": True,
            "message": "Access granted",
        }
        await exchange.answer_json(200, content)


def _organization(exchange: Exchange) -> str:
    if exchange.caller is None:
        raise Unauthorized(REFUSED)
    return exchange.caller.organization_id
