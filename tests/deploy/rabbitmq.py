"""A RabbitMQ of the machine, started as the container is: `start.sh`, `rabbitmq.conf`, `definitions.json`."""

import secrets
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from routiq.ports import LOOPBACK, free_port
from routiq.processes import Program
from routiq.servers import rabbitmq

DEPLOYED = Path(__file__).parents[2] / "deploy" / "rabbitmq"
USERS = ("patients", "sync", "analytics", "admin", "gateway")
ADMINISTRATOR = "RABBITMQ_ADMIN_PASSWORD"


def secret_of(user: str) -> str:
    """The name of the secret that a service's user comes in with."""
    return f"{user.upper()}_AMQP_PASSWORD"


def new_passwords() -> dict[str, str]:
    return {name: secrets.token_urlsafe(24) for name in (*map(secret_of, USERS), ADMINISTRATOR)}


@dataclass
class DeployedBroker:
    """Its data stay in `home` from one start to the next."""

    home: Path
    passwords: Mapping[str, str] = field(default_factory=new_passwords)
    ports: tuple[int, int, int] = field(default_factory=lambda: (free_port(), free_port(), free_port()))
    node: str = rabbitmq.NODE
    more: str = ""
    """What else stands in its configuration."""

    def url(self, user: str, passwords: Mapping[str, str] | None = None) -> str:
        """Of the service's user."""
        return f"amqp://routiq_{user}:{(passwords or self.passwords)[secret_of(user)]}@{LOOPBACK}:{self.ports[0]}/"

    @property
    def administrator_url(self) -> str:
        return f"amqp://administrator:{self.passwords[ADMINISTRATOR]}@{LOOPBACK}:{self.ports[0]}/"

    @property
    def guest_url(self) -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self.ports[0]}/"

    def programs(self) -> tuple[Program, Program]:
        """What the machine's own broker takes, with the start and the configuration of the deployed one."""
        installed = rabbitmq.find()
        if installed is None:
            pytest.skip("rabbitmq-server is not installed")
        epmd, node = rabbitmq.RabbitMQ(installed, self.home, *self.ports, password="of nobody").programs()
        command = ("bash", str(DEPLOYED / "start.sh"), *node.command)
        definitions = {"RABBITMQ_DEFINITIONS_FILE": str(self.definitions)}
        environment = {**node.environment, **definitions, **self.passwords, "RABBITMQ_NODENAME": self.node}
        assert epmd.prepare is not None
        prepare = partial(self._configure, epmd.prepare)
        return replace(epmd, prepare=prepare), replace(node, command=command, environment=environment)

    def change_password(self, user: str, passwords: Mapping[str, str]) -> None:
        """As docs/secrets.md says: it goes in through the standard input."""
        self.control("change_password", f"routiq_{user}", given=passwords[secret_of(user)])

    def import_definitions(self) -> None:
        """As docs/secrets.md says: `start.sh` writes them, and then does this instead of a start."""
        self.control("import_definitions", str(self.definitions), before=("bash", str(DEPLOYED / "start.sh")))

    def memory_limit(self) -> int:
        """Bytes, beyond which publishers wait."""
        return int(self.control("eval", "vm_memory_monitor:get_memory_limit()."))

    def control(self, *arguments: str, given: str = "", before: tuple[str, ...] = (), tool: str = "rabbitmqctl") -> str:
        """What `rabbitmqctl` prints."""
        node = self.programs()[1]
        control = Path(node.command[2]).with_name(tool)
        command = (*before, str(control), "--node", self.node, *arguments)
        done = subprocess.run(command, env=node.environment, input=given, text=True, check=True, stdout=subprocess.PIPE)
        return done.stdout

    @property
    def definitions(self) -> Path:
        return self.home / "definitions.json"

    async def _configure(self, create: Callable[[], Awaitable[None]]) -> None:
        await create()
        deployed = (DEPLOYED / "rabbitmq.conf").read_text()
        own = deployed.replace("/var/lib/rabbitmq/definitions.json", str(self.definitions))
        assert own != deployed
        # A small machine is no reason for publishers to wait in a test.
        own = own.replace("disk_free_limit.absolute = 2GB", "disk_free_limit.absolute = 50MB")
        (self.home / "rabbitmq.conf").write_text(own + self.more)
