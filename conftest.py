"""Real servers for every test: one PostgreSQL and up to two brokers per session, private and thrown away."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import asyncpg
import pytest

from chassis.migrations import Schema, migrate
from routiq.accounts import unprivileged
from routiq.ports import LOOPBACK, free_port
from routiq.probes import amqp_answers
from routiq.processes import Program, running
from routiq.servers import binaries, rabbitmq
from routiq.servers.binaries import Binaries
from routiq.servers.embedded_broker import DESCRIPTION, EmbeddedBroker
from routiq.servers.postgres import Postgres
from routiq.settings import from_environment

RABBITMQ_IMAGE = "rabbitmq:3.13"

BrokerKind = Literal["embedded", "rabbitmq"]
NewDatabase = Callable[[str], Awaitable[str]]
"""`await new_database("patients")` is the URL of that service's role on a fresh, migrated database."""

SERVICES_WITH_A_DATABASE = ("patients", "sync", "analytics", "admin")
WORKSPACE = Path(__file__).parent
USED = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class PostgresServer:
    """`url` is the owner's, on the maintenance database."""

    url: str


@dataclass(frozen=True)
class Broker:
    kind: BrokerKind
    url: str


def pytest_configure(config: pytest.Config) -> None:
    config.stash[USED] = []


def pytest_report_header() -> list[str]:
    given = os.environ.get("TEST_DATABASE_URL")
    return [
        f"postgres: {'the one of TEST_DATABASE_URL' if given else _find_postgres(Path())}",
        f"brokers: {DESCRIPTION}, {rabbitmq.find() or 'no RabbitMQ on this machine'}",
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests are shared out over processes: those that share a broker or a directory stay together."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        item.add_marker(pytest.mark.xdist_group(parameters.get("broker", str(item.path.parent))))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes tells the first what it used."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["used"] = session.config.stash[USED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what another process used, unless it was lost."""
    used = node.config.stash[USED]
    used += [server for server in getattr(node, "workeroutput", {}).get("used", ()) if server not in used]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for server in config.stash[USED]:
        terminalreporter.write_line(f"tests ran on {server}")


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    """Not pytest's own temporary directory: that one keeps the data of the last three sessions."""
    home = Path(tempfile.mkdtemp(prefix="routiq-tests-"))
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
async def postgres(server_home: Path, pytestconfig: pytest.Config) -> AsyncIterator[PostgresServer]:
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        pytestconfig.stash[USED].append("PostgreSQL of TEST_DATABASE_URL")
        yield PostgresServer(given)
        return
    home = server_home / "postgres"
    account = unprivileged()
    found = binaries.within_reach(_find_postgres(home), account, home)
    server = Postgres(found, home, free_port(), secrets.token_hex(16), account, durable=False)
    async with running(server.program(server_home / "initdb.log"), logs=server_home):
        pytestconfig.stash[USED].append(str(server.binaries))
        yield PostgresServer(server.url())
    binaries.forget_copy(home)


def _find_postgres(home: Path) -> Binaries:
    return binaries.find(home, unprivileged(), from_environment(os.environ).postgres)


@pytest.fixture(scope="session", params=["embedded", "rabbitmq"])
async def broker(
    request: pytest.FixtureRequest, server_home: Path, pytestconfig: pytest.Config
) -> AsyncIterator[Broker]:
    start = _embedded_broker if request.param == "embedded" else _rabbitmq
    async with start(server_home) as (url, description):
        pytestconfig.stash[USED].append(description)
        yield Broker(request.param, url)


@contextlib.asynccontextmanager
async def _embedded_broker(home: Path) -> AsyncIterator[tuple[str, str]]:
    server = EmbeddedBroker(home / "broker.sqlite", free_port(), secrets.token_hex(16))
    async with running(server.program(os.environ), logs=home):
        yield server.url, DESCRIPTION


@contextlib.asynccontextmanager
async def _rabbitmq(home: Path) -> AsyncIterator[tuple[str, str]]:
    installed = rabbitmq.find()
    if installed is None:
        async with _rabbitmq_in_docker(home) as (url, description):
            yield url, description
        return
    ports = free_port(), free_port(), free_port()
    server = rabbitmq.RabbitMQ(installed, home / "rabbitmq", *ports, secrets.token_hex(16))
    async with running(*server.programs(), logs=home) as (_, node):
        yield server.url, str(installed)
        await node.kill()  # its data are thrown away, and a clean stop takes eight seconds


def _docker_engine() -> str | None:
    """The `docker` command, when an engine answers it."""
    docker = shutil.which("docker")
    answers = docker and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0
    return docker if answers else None


@contextlib.asynccontextmanager
async def _rabbitmq_in_docker(home: Path) -> AsyncIterator[tuple[str, str]]:
    """For a machine with a Docker engine and no `rabbitmq-server`; on one with neither, the tests are left out."""
    docker = _docker_engine()
    if docker is None:
        missing = "there is neither rabbitmq-server nor a Docker engine"
        if os.environ.get("ROUTIQ_REQUIRE_RABBITMQ") == "1":
            pytest.fail(f"ROUTIQ_REQUIRE_RABBITMQ=1, but {missing}")
        pytest.skip(missing)
    port, password = free_port(), secrets.token_hex(16)
    settings = ("-e", "RABBITMQ_DEFAULT_USER=routiq", "-e", f"RABBITMQ_DEFAULT_PASS={password}")
    program = Program(
        name="rabbitmq",
        command=(docker, "run", "--rm", "-p", f"{LOOPBACK}:{port}:5672", *settings, RABBITMQ_IMAGE),
        environment=os.environ,
        ready=partial(amqp_answers, LOOPBACK, port),
    )
    async with running(program, logs=home):
        yield f"amqp://routiq:{password}@{LOOPBACK}:{port}/", f"{RABBITMQ_IMAGE} (Docker)"


@pytest.fixture(scope="session")
async def migrated_template(postgres: PostgresServer) -> AsyncIterator[tuple[str, str]]:
    """A database that every service's migrations ran on, and the password of the services' roles."""
    password = secrets.token_hex(16)
    async with _database(postgres) as name:
        await migrate(
            _replaced(postgres.url, database=name),
            [
                Schema(service, WORKSPACE / "services" / service / "migrations", password)
                for service in SERVICES_WITH_A_DATABASE
            ],
        )
        yield name, password


@pytest.fixture
async def new_database(postgres: PostgresServer, migrated_template: tuple[str, str]) -> AsyncIterator[NewDatabase]:
    template, password = migrated_template
    async with contextlib.AsyncExitStack() as databases:

        async def create(service: str) -> str:
            name = await databases.enter_async_context(_database(postgres, template))
            return _replaced(postgres.url, database=name, user=f"routiq_{service}", password=password)

        yield create


@contextlib.asynccontextmanager
async def _database(server: PostgresServer, template: str = "template1") -> AsyncIterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    owner = await asyncpg.connect(server.url)
    try:
        await owner.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield name
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await owner.close()


def _replaced(url: str, *, database: str, user: str | None = None, password: str | None = None) -> str:
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    netloc = f"{user}:{password}@{address}" if user else parts.netloc
    return parts._replace(netloc=netloc, path=f"/{database}").geturl()
