"""Writes what RabbitMQ holds and who may do what there: `.venv/bin/python deploy/rabbitmq/generate.py [FILE]`.

From the route map. A service may write events, retries and dead letters of its own and read its own queues: nothing
else, and it may declare nothing (`AMQP_DECLARE=false`), since whoever may declare a queue may delete it, and
whoever may bind it must be allowed to read from the exchange. `start.sh` puts the passwords in.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from faststream.rabbit import RabbitExchange, RabbitQueue

from chassis import topology
from chassis.settings import ServiceSettings
from contracts.routes import ROUTES, announced_by, received_by

VHOST = "/"
DELAYS: tuple[int, ...] = ServiceSettings.model_fields["retry_delays"].default
SERVICES = sorted({route.producer for route in ROUTES}.union(*(route.consumers for route in ROUTES)))
QUEUES = {route.queue(consumer): route.key for route in ROUTES for consumer in route.consumers}
RETRIES = [topology.retry_exchange(delay).name for delay in DELAYS]
OPERATORS_QUEUE = "admin.dead-letters.operator"
"""The admin service makes it, for one operator at a time."""
PERSON = "administrator"
"""May do everything; no service knows this password."""

Item = dict[str, Any]


def definitions() -> Item:
    """The whole file, without passwords."""
    return {
        "vhosts": [{"name": VHOST}],
        "users": [*(_user(f"routiq_{name}", f"{name.upper()}_AMQP_PASSWORD", "") for name in SERVICES), _person()],
        "permissions": [*map(_permission, SERVICES), _may(PERSON, configure=".*", write=".*", read=".*")],
        "topic_permissions": [allowed for name in SERVICES for allowed in _topics(name)],
        "exchanges": [_exchange(one) for one in ("events", topology.DEAD_LETTERS.name, *RETRIES)],
        "queues": [_queue(queue) for queue, _ in _bindings()],
        "bindings": [_binding(exchange, queue) for queue, exchange in _bindings()],
    }


def _bindings() -> list[tuple[RabbitQueue, RabbitExchange]]:
    found = []
    for name, key in QUEUES.items():
        found += [(topology.queue(name, key), topology.EVENTS), (topology.dead_queue(name), topology.DEAD_LETTERS)]
    return [*found, *((topology.retry_queue(delay), topology.retry_exchange(delay)) for delay in DELAYS)]


def _user(name: str, secret: str, tags: str) -> Item:
    algorithm = "rabbit_password_hashing_sha256"
    return {"name": name, "password_hash": f"@{secret}@", "hashing_algorithm": algorithm, "tags": tags}


def _person() -> Item:
    return _user(PERSON, "RABBITMQ_ADMIN_PASSWORD", "administrator")


def _permission(service: str) -> Item:
    received = [route.queue(service) for route in received_by(service)]
    writes = [topology.EVENTS.name, *([topology.DEAD_LETTERS.name, *RETRIES] if received else [])]
    if service != "admin":
        return _may(f"routiq_{service}", configure=_only(()), write=_only(writes), read=_only(received))
    # Admin holds the operators' tools: it reads all dead letters, and sends them to their own queues again.
    reads, writes = [*received, *map(topology.dead, QUEUES), OPERATORS_QUEUE], [*writes, "amq.default"]
    return _may("routiq_admin", configure=_only([OPERATORS_QUEUE]), write=_only(writes), read=_only(reads))


def _topics(service: str) -> list[Item]:
    """By routing key: its own events, and retries and dead letters of its own queues."""
    received = [route.queue(service) for route in received_by(service)]
    allowed: Mapping[str, Iterable[str]] = {
        topology.EVENTS.name: [route.key for route in announced_by(service)],
        topology.DEAD_LETTERS.name: map(topology.dead, received),
        **dict.fromkeys(RETRIES, received),
    }
    user = {"user": f"routiq_{service}", "vhost": VHOST}
    return [{**user, "exchange": name, "write": _only(keys), "read": _only(())} for name, keys in allowed.items()]


def _may(user: str, **patterns: str) -> Item:
    return {"user": user, "vhost": VHOST, **patterns}


def _only(names: Iterable[str]) -> str:
    """A pattern for these names; RabbitMQ searches, so it is tied at both ends. Without names for none at all."""
    return f"^({'|'.join(map(re.escape, names))})$".replace("\\-", "-").replace("^()$", "^$")


def _exchange(name: str) -> Item:
    """All of them topics, retries too: no other kind of exchange has permissions by routing key."""
    return {"name": name, "vhost": VHOST, "type": "topic", "durable": True, "auto_delete": False}


def _queue(queue: RabbitQueue) -> Item:
    return {"name": queue.name, "vhost": VHOST, "durable": True, "auto_delete": False, "arguments": queue.arguments}


def _binding(exchange: RabbitExchange, queue: RabbitQueue) -> Item:
    place = {"source": exchange.name, "vhost": VHOST, "destination": queue.name, "destination_type": "queue"}
    return {**place, "routing_key": queue.routing_key or "#"}


if __name__ == "__main__":
    place = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("definitions.json")
    place.write_text(f"{json.dumps(definitions(), indent=2)}\n")
