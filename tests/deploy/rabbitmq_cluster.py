"""Three nodes of the deployed RabbitMQ, and HAProxy before them, since a service knows one address."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.deploy.rabbitmq import DEPLOYED, DeployedBroker, new_passwords
from tests.deploys.balancer import haproxy

from routiq.ports import LOOPBACK, free_port
from routiq.probes import port_listens
from routiq.processes import Child, Program, running

NODES = tuple(f"routiq-{number}@localhost" for number in (1, 2, 3))
PEERS = "".join(f"cluster_formation.classic_config.nodes.{number} = {node}\n" for number, node in enumerate(NODES, 1))
CONFIGURATION = (DEPLOYED / "cluster.conf").read_text() + PEERS
SECONDS_TO_START = 120
BEFORE = """
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
listen rabbitmq
    bind {loopback}:{port}
    balance first
    default-server check inter 300ms fall 2 rise 2 on-marked-down shutdown-sessions
{servers}
"""


@dataclass
class Cluster:
    home: Path
    nodes: Mapping[str, DeployedBroker]
    address: int = field(default_factory=free_port)
    living: dict[str, Child] = field(default_factory=dict)

    @classmethod
    def below(cls, home: Path) -> "Cluster":
        """Each node has a directory and ports of its own; they share the passwords, the cookie and `epmd`."""
        passwords, cookie, epmd = new_passwords(), secrets.token_hex(16), free_port()
        nodes = {}
        for node in NODES:
            place = home / node
            place.mkdir(parents=True)
            (place / ".erlang.cookie").write_text(cookie)
            (place / ".erlang.cookie").chmod(0o400)
            nodes[node] = DeployedBroker(place, passwords, (free_port(), free_port(), epmd), node, CONFIGURATION)
        return cls(home, nodes)

    def url(self, user: str) -> str:
        """Through HAProxy."""
        one = self.nodes[NODES[0]]
        return replace(one, ports=(self.address, *one.ports[1:])).url(user)

    async def start(self, *nodes: str) -> None:
        """Those nodes at once; they find each other."""
        programs = [self._program(self.nodes[node]) for node in nodes]
        for node, program in zip(nodes, programs, strict=True):
            self.living[node] = await Child.start(program, self.home / f"{node}.log")
        ready = await asyncio.gather(*(self.living[node].ready(SECONDS_TO_START) for node in nodes))
        assert all(ready), [self.living[node].last_lines() for node in nodes]

    async def kill(self, *nodes: str) -> None:
        """With SIGKILL."""
        await asyncio.gather(*(self.living.pop(node).kill() for node in nodes))

    async def control(self, *arguments: str, tool: str = "rabbitmqctl") -> str:
        """What RabbitMQ's tool says of the cluster, asked of a node that lives."""
        node = self.nodes[next(iter(self.living))]
        return await asyncio.to_thread(node.control, *arguments, tool=tool)

    async def listed(self, what: str, *columns: str) -> list[dict[str, Any]]:
        told = await self.control("--silent", "--formatter", "json", f"list_{what}", *columns)
        return list(json.loads(told))

    async def complete(self) -> None:
        """Return once every queue has three members, and all are there."""
        async with asyncio.timeout(SECONDS_TO_START):
            while not all(
                len(queue["online"]) == len(NODES) for queue in await self.listed("queues", "name", "online")
            ):
                await asyncio.sleep(2)

    async def leader(self, queue: str) -> str:
        leaders = {one["name"]: one["leader"] for one in await self.listed("queues", "name", "leader")}
        return str(leaders[queue])

    @staticmethod
    def _program(broker: DeployedBroker) -> Program:
        epmd, node = broker.programs()
        return replace(node, prepare=epmd.prepare)

    def before(self) -> Program:
        """HAProxy: all connections go to the first node that answers, and end when it no longer does."""
        servers = [f"    server {name.partition('@')[0]} {LOOPBACK}:{one.ports[0]}" for name, one in self.nodes.items()]
        configuration = self.home / "haproxy.cfg"
        configuration.write_text(BEFORE.format(loopback=LOOPBACK, port=self.address, servers="\n".join(servers)))
        command = (haproxy(), "-db", "-f", str(configuration))
        return Program("haproxy", command, {}, ready=partial(port_listens, LOOPBACK, self.address))


@asynccontextmanager
async def cluster_below(home: Path) -> AsyncIterator[Cluster]:
    """No node runs yet. All that run in the end are killed."""
    cluster = Cluster.below(home)
    async with AsyncExitStack() as stack:
        epmd = cluster.nodes[NODES[0]].programs()[0]
        await stack.enter_async_context(running(epmd, cluster.before(), logs=home))
        try:
            yield cluster
        finally:
            await cluster.kill(*cluster.living)
