"""The broker: virtual hosts, the journal below them and the connections above."""

from typing import TYPE_CHECKING

from rabbitmq_emulator.handshake import Credentials
from rabbitmq_emulator.journal import Journal
from rabbitmq_emulator.vhost import VirtualHost

if TYPE_CHECKING:
    from rabbitmq_emulator.connection import Connection


class Broker:
    def __init__(self, credentials: Credentials, journal: Journal) -> None:
        self.credentials = credentials
        self.journal = journal
        self.connections: set[Connection] = set()
        self._vhosts: dict[str, VirtualHost] = {}

    def vhost(self, name: str) -> VirtualHost:
        """Made on first use, where RabbitMQ wants an administrator to make it."""
        if name not in self._vhosts:
            self._vhosts[name] = VirtualHost(name, self.journal)
        return self._vhosts[name]
