"""The emulator of RabbitMQ as a process: a development broker, for machines that have no other."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from routiq.ports import LOOPBACK
from routiq.probes import amqp_answers
from routiq.processes import Program

USER = "routiq"
DESCRIPTION = "embedded development broker"


@dataclass(frozen=True)
class EmbeddedBroker:
    journal: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/"

    def program(self, environment: Mapping[str, str]) -> Program:
        options = ("--port", str(self.port), "--journal", str(self.journal), "--user", USER)
        return Program(
            name="broker",
            command=(sys.executable, "-m", "rabbitmq_emulator", *options),
            environment={**environment, "RABBITMQ_EMULATOR_PASSWORD": self.password},
            port=self.port,
            ready=partial(amqp_answers, LOOPBACK, self.port),
        )
