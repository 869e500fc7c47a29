"""Listening, and stopping without a torn connection or an uncommitted message."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rabbitmq_emulator.broker import Broker
from rabbitmq_emulator.connection import Connection
from rabbitmq_emulator.errors import HardError
from rabbitmq_emulator.handshake import Credentials
from rabbitmq_emulator.journal import Journal
from rabbitmq_emulator.recovery import restore
from rabbitmq_emulator.sqlite_journal import SqliteJournal


class JournalUnusableError(Exception):
    """The file is no journal, cannot be written, or another broker has it."""


@asynccontextmanager
async def listening(credentials: Credentials, host: str, port: int, journal: Path | None) -> AsyncIterator[int]:
    """A broker, and the port it listens on. OSError when the port is taken, JournalUnusableError."""
    broker = _broker(credentials, journal)
    try:
        server = await asyncio.get_running_loop().create_server(lambda: Connection(broker), host, port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await _say_goodbye(broker)
    finally:
        broker.journal.close()


def _broker(credentials: Credentials, path: Path | None) -> Broker:
    if path is None:
        return Broker(credentials, Journal())
    try:
        journal = SqliteJournal(path)
        broker = Broker(credentials, journal)
        restore(broker, journal.database)
    except sqlite3.Error as error:
        raise JournalUnusableError(f"cannot use the journal {path}: {error}") from error
    return broker


async def _say_goodbye(broker: Broker) -> None:
    connections = list(broker.connections)
    for connection in connections:
        connection.close(HardError(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"))
    for connection in connections:
        await connection.lost.wait()
