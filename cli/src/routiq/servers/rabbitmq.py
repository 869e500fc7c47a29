"""A private RabbitMQ node: its own epmd, cookie, ports and data, all below one directory."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from routiq.ports import LOOPBACK
from routiq.probes import amqp_answers, port_listens
from routiq.processes import Program, Tier

USER = "routiq"
NODE = "routiq@localhost"  # two checkouts may share the name: each has an epmd of its own


@dataclass(frozen=True)
class Installation:
    server: Path
    epmd: Path
    version: str

    def __str__(self) -> str:
        return f"RabbitMQ {self.version} (installed)"


def find() -> Installation | None:
    """The real start script: Debian's /usr/sbin wrapper insists on the account `rabbitmq`."""
    scripts = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    on_path = shutil.which("rabbitmq-server")
    server = scripts[-1] if scripts else Path(on_path).resolve() if on_path else None
    epmd = shutil.which("epmd")
    if server is None or epmd is None:
        return None
    return Installation(server, Path(epmd), server.parents[1].name.rpartition("-")[2])


@dataclass(frozen=True)
class RabbitMQ:
    installation: Installation
    home: Path
    port: int
    distribution_port: int
    epmd_port: int
    password: str

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/"

    async def _create(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.home / "environment").touch()
        (self.home / "plugins").write_text("[].\n")
        configuration = self.home / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"default_user = {USER}\ndefault_pass = {self.password}\nlog.console = true\nlog.console.level = warning\n"
        )

    def programs(self) -> tuple[Program, Program]:
        """The node, and the port mapper it needs: started by us, since one started by Erlang outlives the node."""
        epmd = Program(
            name="epmd",
            command=(str(self.installation.epmd), "-port", str(self.epmd_port), "-address", LOOPBACK),
            environment=self._environment(),
            port=self.epmd_port,
            ready=partial(port_listens, LOOPBACK, self.epmd_port),
            prepare=self._create,
            tier=Tier.SUPPORT,
        )
        node = Program(
            name="broker",
            command=(str(self.installation.server), "-noinput", "+B", "i"),
            environment=self._environment(),
            port=self.port,
            ready=partial(amqp_answers, LOOPBACK, self.port),
            after=(epmd.name,),
            grace_seconds=20,
        )
        return epmd, node

    def _environment(self) -> Mapping[str, str]:
        home = self.home
        return {
            "PATH": f"{self.installation.epmd.parent}:{os.defpath}",
            "LC_ALL": "C.UTF-8",
            "HOME": str(home),  # where Erlang keeps the cookie
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_ALLOW_INPUT": "1",  # becomes the node itself instead of a shell that hides how it ended
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "environment"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq"),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(home / "feature_flags"),
        }
