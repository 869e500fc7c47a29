"""A broker as its journal remembers it."""

import sqlite3
from collections.abc import Iterator

from pamqp import decode
from pamqp.common import FieldTable

from rabbitmq_emulator.broker import Broker
from rabbitmq_emulator.exchange import Binding, Exchange
from rabbitmq_emulator.message import Entry, Message
from rabbitmq_emulator.queue import Queue
from rabbitmq_emulator.queue_options import QueueOptions


def restore(broker: Broker, database: sqlite3.Connection) -> None:
    """Fills an empty broker. Runs inside the event loop: queues set their alarms."""
    for vhost, name, kind, auto_delete, internal in database.execute("SELECT * FROM exchange"):
        broker.vhost(vhost).exchanges[name] = Exchange(name, kind, True, bool(auto_delete), bool(internal))
    queues = dict(_queues(broker, database))
    for vhost, exchange, queue, routing_key, arguments in database.execute("SELECT * FROM binding"):
        host = broker.vhost(vhost)
        host.exchanges[exchange].bind(Binding(host.queues[queue], routing_key, _table(arguments)))
    entries = database.execute("SELECT * FROM message ORDER BY id").fetchall()
    for entry_id, queue_id, deliveries, expires_at, exchange, routing_key, header, body in entries:
        message = Message.received(exchange, routing_key, header, body)
        queues[queue_id].restored(Entry(entry_id, message, expires_at, True, deliveries))


def _queues(broker: Broker, database: sqlite3.Connection) -> Iterator[tuple[int, Queue]]:
    for queue_id, vhost, name, auto_delete, arguments in database.execute("SELECT * FROM queue"):
        host = broker.vhost(vhost)
        options = QueueOptions.declared(_table(arguments), durable=True, auto_delete=bool(auto_delete), where=name)
        host.queues[name] = Queue(queue_id, name, options, broker.journal, host.bury)
        yield queue_id, host.queues[name]


def _table(encoded: bytes) -> FieldTable:
    return decode.field_table(encoded)[1]
