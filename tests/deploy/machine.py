"""Stands in for Docker: every container of ours as a process, on the loopback address and on ports that are free."""

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.deploy import composition
from tests.deploy.composition import OURS
from tests.deploy.image import ACCOUNT, Images

from routiq.ports import LOOPBACK, free_port
from routiq.processes import Program

ENV = "/usr/bin/env"
"""Finds a command on the container's own path, not on that of whoever runs the tests."""


@dataclass(frozen=True)
class Servers:
    """Those that are no program of ours: `database` is its owner's address, `broker_port` RabbitMQ's, whose users have
    the passwords of `variables`."""

    database: str
    broker_port: int
    variables: Mapping[str, str]


class Machine:
    """Everything of ours in docker-compose.yml, with the profile demo."""

    def __init__(self, images: Images, servers: Servers, home: Path) -> None:
        self._images, self._servers, self._home = images, servers, home
        self._owner = urlsplit(servers.database)
        self._containers = composition.services(servers.variables)
        ports = {name: self._port(name) for name in OURS}
        self._ports = {name: (port, free_port()) for name, port in ports.items() if port}

    def programs(self) -> list[Program]:
        """In an order that `depends_on` allows."""
        waits = {name: set(self._containers[name].get("depends_on", ())) & set(OURS) for name in OURS}
        return [self._program(name) for name in TopologicalSorter(waits).static_order()]

    def url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self._ports[name][1]}"

    def _port(self, name: str) -> str | None:
        command = self._containers[name]["command"]
        given: str | None = self._containers[name].get("environment", {}).get("PORT")
        return given or (command[command.index("--port") + 1] if "--port" in command else None)

    def _program(self, name: str) -> Program:
        container = self._containers[name]
        assert int(container["user"].partition(":")[0]) == ACCOUNT.uid
        given = {key: self._here(value, name) for key, value in container.get("environment", {}).items()}
        environment = self._images.environment(name) | given
        probe = partial(self._healthy, name, environment) if "healthcheck" in container else None
        return Program(
            name=name,
            command=(ENV, *(self._here(part, name) for part in container["command"])),
            environment=environment,
            ready=probe,
            once=probe is None,
            grace_seconds=composition.seconds(container.get("stop_grace_period", "10s")),
            account=ACCOUNT if os.geteuid() == 0 else None,
            home=self._home,
        )

    async def _healthy(self, name: str, environment: Mapping[str, str]) -> bool:
        """The health check as Docker runs it: in the container, as its user, within its time."""
        check: dict[str, Any] = self._containers[name]["healthcheck"]
        kind, *command = check["test"]
        assert kind == "CMD"
        account = ACCOUNT.uid if os.geteuid() == 0 else None
        process = await asyncio.create_subprocess_exec(
            *(ENV, *(self._here(part, name) for part in command)),
            env=dict(environment),
            cwd="/",
            user=account,
            group=account,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(composition.seconds(check["timeout"])):
            return await process.wait() == 0

    def _here(self, text: str, container: str) -> str:
        """What names another container, or a place in an image, names what stands for it on this machine."""
        own = self._ports.get(container)
        if own and text == own[0]:
            return str(own[1])
        if text in ("0.0.0.0", "clerk"):
            return LOOPBACK
        return self._addressed(self._placed(text))

    def _placed(self, text: str) -> str:
        return text.replace("/tmp/", f"{self._home}/").replace("/routiq/", f"{self._images.root}/")  # noqa: S108 - its own

    def _addressed(self, text: str) -> str:
        owner = self._owner
        text = text.replace("//routiq:", f"//{owner.username}:")
        text = text.replace("@postgres:5432/routiq", f"@{owner.hostname}:{owner.port}{owner.path}")
        text = text.replace("@rabbitmq:5672", f"@{LOOPBACK}:{self._servers.broker_port}")
        text = text.replace("@valkey:6379", f"@{LOOPBACK}:{free_port()}")  # away, which the gateway bears
        for name, (port, ours) in self._ports.items():
            text = re.sub(rf"\b({name}|{re.escape(LOOPBACK)}):{port}\b", f"{LOOPBACK}:{ours}", text)
        return text
