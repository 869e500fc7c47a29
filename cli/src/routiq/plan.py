"""What to start: settings, secrets and the servers at hand become a list of programs. Nothing happens here."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

from routiq.ports import LOOPBACK
from routiq.probes import http_answers
from routiq.processes import Program, Tier
from routiq.servers.embedded_broker import EmbeddedBroker
from routiq.servers.postgres import Postgres, ensure_database
from routiq.servers.rabbitmq import RabbitMQ
from routiq.settings import Settings
from routiq.state import Secrets, StateDirectory

DATABASE = "routiq"
WITH_A_DATABASE = ("patients", "sync", "analytics", "admin")
MIGRATIONS = "migrations"

# What a service gets is written down below, secret by secret; of the rest of the environment it sees these only.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "LOG_LEVEL", "SSL_CERT_FILE")
GATEWAY_SETTINGS = (
    "CLERK_AUTHORIZED_PARTIES",
    "CLERK_SECRET_KEY",
    "ALLOWED_ORIGINS",
    "REDIS_URL",
    "APP_ENV",
    "TRUSTED_PROXIES",
)
TRACE_SETTINGS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_TRACES_SAMPLER_ARG")
SYNC_SETTINGS = ("CLINIKO_REQUESTS_PER_MINUTE", "SCHEDULE_ENABLED")
ADMIN_SETTINGS = ("AUDIT_YEARS",)
CLINIKO = "https://api.{shard}.cliniko.com/v1"


@dataclass(frozen=True)
class Servers:
    """Our own; none where the settings give the address of another."""

    postgres: Postgres | None
    broker: RabbitMQ | EmbeddedBroker | None


@dataclass(frozen=True)
class Plan:
    settings: Settings
    secrets: Secrets
    servers: Servers
    state: StateDirectory

    def programs(self) -> tuple[Program, ...]:
        """In the order in which a person would start them."""
        services = [self._service_with_database(name) for name in WITH_A_DATABASE]
        return (*self._servers(), *self._emulators(), self._migrations(), self._gateway(), *services)

    def program(self, name: str) -> Program:
        """The one of that name."""
        return next(program for program in self.programs() if program.name == name)

    @property
    def owner_url(self) -> str:
        if self.servers.postgres:
            return self.servers.postgres.url(DATABASE)
        return self.settings.given["DATABASE_URL"]

    @property
    def broker_url(self) -> str:
        return self.servers.broker.url if self.servers.broker else self.settings.given["AMQP_URL"]

    def _broker_url_of(self, service: str) -> str:
        """Its own user's, where each has one; the one everybody uses otherwise."""
        return self.settings.given.get(f"{service.upper()}_AMQP_URL", self.broker_url)

    @property
    def cliniko_url(self) -> str:
        return self.settings.given.get("CLINIKO_API_URL", f"{self._url('cliniko')}/{{shard}}/v1")

    @property
    def clerk_issuer(self) -> str:
        return self.settings.given.get("CLERK_ISSUER", self._url("clerk"))

    @property
    def gateway_url(self) -> str:
        return self._url("gateway")

    def _url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self.settings.ports[name]}"

    def _base(self) -> dict[str, str]:
        return self._optional(PASSED_ON)

    def _optional(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self.settings.given[name] for name in names if name in self.settings.given}

    def _servers(self) -> list[Program]:
        programs = []
        if self.servers.postgres:
            programs.append(self.servers.postgres.program(self.state.log("initdb")))
        match self.servers.broker:
            case EmbeddedBroker() as embedded:
                programs.append(embedded.program(self._base()))
            case RabbitMQ() as installed:
                programs.extend(installed.programs())
        return programs

    def _emulators(self) -> list[Program]:
        programs = []
        if self.settings.has_own_cliniko:
            programs.append(self._emulator("cliniko", "/_control/health"))
        if self.settings.has_own_clerk:
            key = ("--key-file", str(self.state.path / "clerk.pem"))
            hook = ("--webhook-url", f"{self.gateway_url}/api/v1/webhooks/clerk")
            programs.append(self._emulator("clerk", "/.well-known/jwks.json", *key, *hook, **self._webhook_secret()))
        return programs

    def _webhook_secret(self) -> dict[str, str]:
        """With which Clerk signs what it tells admin: our own Clerk in any case, another when we are told."""
        own = {"CLERK_WEBHOOK_SECRET": self.secrets.webhook_secret} if self.settings.has_own_clerk else {}
        return own | self._optional(("CLERK_WEBHOOK_SECRET",))

    def _emulator(self, name: str, probe: str, *options: str, **environment: str) -> Program:
        port = self.settings.ports[name]
        return Program(
            name=name,
            command=(sys.executable, "-m", f"{name}_emulator", "--port", str(port), *options),
            environment={**self._base(), **environment},
            port=port,
            ready=partial(http_answers, f"{self._url(name)}{probe}"),
        )

    def _migrations(self) -> Program:
        postgres = self.servers.postgres
        schemas = (f"{name}={migrations(name)}" for name in WITH_A_DATABASE)
        passwords = {f"{name.upper()}_PASSWORD": self.secrets.role_passwords[name] for name in WITH_A_DATABASE}
        return Program(
            name=MIGRATIONS,
            command=(sys.executable, "-m", "chassis.migrations", *schemas),
            environment={**self._base(), **passwords, "DATABASE_URL": self.owner_url},
            prepare=partial(ensure_database, postgres.url(), DATABASE) if postgres else None,
            after=("postgres",) if postgres else (),
            once=True,
        )

    def _service(self, name: str, given: Mapping[str, str], after: tuple[str, ...] = ()) -> Program:
        port = self.settings.ports[name]
        own = {"HOST": LOOPBACK, "PORT": str(port), "IDENTITY_KEY": self.secrets.identity_key}
        return Program(
            name=name,
            command=(sys.executable, "-m", name),
            environment={**self._base(), **self._optional(TRACE_SETTINGS), **own, **given},
            port=port,
            ready=partial(http_answers, f"{self._url(name)}/health/ready"),
            after=after,
            tier=Tier.SERVICE,
        )

    def _service_with_database(self, name: str) -> Program:
        url = as_role(self.owner_url, f"routiq_{name}", self.secrets.role_passwords[name])
        given = {"DATABASE_URL": url, "AMQP_URL": self._broker_url_of(name), **self._optional(("AMQP_DECLARE",))}
        if name == "sync":
            keys = self.settings.given.get("CREDENTIALS_KEYS", self.secrets.credentials_keys)
            given |= {"CLINIKO_API_URL": self.cliniko_url, "CREDENTIALS_KEYS": keys}
            given |= self._optional(SYNC_SETTINGS)
        if name == "admin":
            given |= self._optional(ADMIN_SETTINGS) | self._webhook_secret()
        return self._service(name, given, after=(MIGRATIONS,))

    def _gateway(self) -> Program:
        jwks = self.settings.given.get("CLERK_JWKS_URL", f"{self.clerk_issuer}/.well-known/jwks.json")
        upstreams = {f"{name.upper()}_URL": self._url(name) for name in WITH_A_DATABASE}
        clerk = {"CLERK_ISSUER": self.clerk_issuer, "CLERK_JWKS_URL": jwks}
        operators = {"PLATFORM_ORGANIZATION_ID": self.settings.platform_organization}
        broker = {"AMQP_URL": self._broker_url_of("gateway")}
        # It fetches Clerk's keys as it starts, and would wait for its next try if it came first.
        after = ("clerk",) if self.settings.has_own_clerk else ()
        given = {**upstreams, **clerk, **operators, **broker, **self._optional(GATEWAY_SETTINGS)}
        return self._service("gateway", given, after)


def as_role(url: str, role: str, password: str) -> str:
    """The same database for another user."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{quote(password, safe='')}@{address}").geturl()


def migrations(service: str) -> Path:
    """A service's migrations lie beside its `src`; installed editable, it is found where it was written."""
    package = find_spec(service)
    if package is None or package.origin is None:
        raise ModuleNotFoundError(f"the service {service} is not installed")
    return Path(package.origin).parents[2] / "migrations"
