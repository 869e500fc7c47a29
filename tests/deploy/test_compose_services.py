"""Every program of ours, started as docker-compose.yml says: command, user, environment, order and health check."""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from conftest import PostgresServer
from tests.deploy import variables
from tests.deploy.composition import OURS, SERVICES
from tests.deploy.image import ACCOUNT, Images, interpreter
from tests.deploy.machine import Machine, Servers
from tests.deploy.rabbitmq import ADMINISTRATOR, USERS, DeployedBroker, secret_of

from routiq.processes import Child, running

READY_SECONDS = 90
ENDED_AS_TOLD = {0, -signal.SIGTERM}
MISSING = "no Python on this machine that another account may run"


@pytest.fixture(scope="module")
def images() -> Iterator[Images]:
    if interpreter(ACCOUNT) is None:
        assert os.environ.get("CI") != "true", MISSING
        pytest.skip(MISSING)
    home = Path(tempfile.mkdtemp(prefix="routiq-images-"))
    home.chmod(0o755)
    yield Images.build(home)
    shutil.rmtree(home)


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[str]:
    """An empty one, as PostgreSQL's container has it at first."""
    owner, name = await asyncpg.connect(postgres.url), f"composed_{secrets.token_hex(4)}"
    await owner.execute(f"CREATE DATABASE {name}")
    yield urlsplit(postgres.url)._replace(path=f"/{name}").geturl()
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.close()


@pytest.fixture
def home() -> Iterator[Path]:
    """What `/tmp` is in a container."""
    with tempfile.TemporaryDirectory(prefix="routiq-container-") as path:
        if os.geteuid() == 0:
            os.chown(path, ACCOUNT.uid, ACCOUNT.gid)
        yield Path(path)


@pytest.fixture
def given(postgres: PostgresServer, migrated_template: tuple[str, str]) -> dict[str, str]:
    """The variables of a .env. The roles are the server's: other tests come in with the password that they have."""
    roles = {f"{name.upper()}_DB_PASSWORD": migrated_template[1] for name in SERVICES if name != "gateway"}
    return {**variables.made(), **roles, "POSTGRES_PASSWORD": str(urlsplit(postgres.url).password)}


@pytest.fixture
async def broker(server_home: Path, given: dict[str, str]) -> AsyncIterator[DeployedBroker]:
    """RabbitMQ as its container is started."""
    home = server_home / "composed"
    home.mkdir()
    passwords = {name: given[name] for name in (*map(secret_of, USERS), ADMINISTRATOR)}
    deployed = DeployedBroker(home / "rabbitmq", passwords)
    async with running(*deployed.programs(), logs=home) as (_, node):
        yield deployed
        await node.kill()


@pytest.fixture
def machine(images: Images, database: str, broker: DeployedBroker, given: dict[str, str], home: Path) -> Machine:
    return Machine(images, Servers(database, broker.ports[0], given), home)


async def test_everything_of_ours_comes_up_as_the_compose_file_says_and_ends_when_told(
    machine: Machine, tmp_path: Path
) -> None:
    started: list[Child] = []
    async with AsyncExitStack() as stopping:
        for program in machine.programs():
            started.append(await Child.start(program, tmp_path / f"{program.name}.log"))
            stopping.push_async_callback(started[-1].stop)
            assert await started[-1].ready(READY_SECONDS), started[-1].obituary()
        await _is_whole(machine)
    ended = {child.program.name: child.status for child in started}
    assert set(ended) == set(OURS)
    assert set(ended.values()) <= ENDED_AS_TOLD, ended


async def _is_whole(machine: Machine) -> None:
    """The clinics are synced by now: a person of one sees its figures through the gateway."""
    gateway = machine.url("gateway")
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{gateway}/health")).json()["status"] == "healthy"
        body = {"org": "org_demo_harbour", "role": "member"}
        token = (await client.post(f"{machine.url('clerk')}/tokens", json=body)).json()["token"]
        headers = {"authorization": f"Bearer {token}"}
        figures = await client.get(f"{gateway}/api/v1/dashboard/org_demo_harbour", headers=headers)
        assert figures.status_code == 200, figures.text
        documents = await client.get(f"{gateway}/docs")
        assert documents.status_code == 200  # from files that a package must have brought
