"""The AsyncAPI document of all events: `python -m contracts.asyncapi docs/asyncapi.json` writes it."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from contracts.base import Event
from contracts.examples import EXAMPLES
from contracts.routes import ROUTES, Route
from contracts.schemas import EVENTS

Document = dict[str, Any]

DESCRIPTION = """\
What Routiq's services tell each other over RabbitMQ. A producer publishes to the exchange `events` under
`<producer>.<noun>.<past verb>.v<n>`; each consumer has a queue of its own, `<consumer>.<routing key>`.

At least once on the wire: a consumer may be given an event again, and knows it by its `event_id`. No order is promised.
What cannot be handled ends in `<queue>.dead`. Within a version only optional fields are added."""

BINDING = "0.3.0"
EXCHANGE = {"name": "events", "type": "topic", "durable": True, "autoDelete": False}
QUEUE = {"durable": True, "exclusive": False, "autoDelete": False}


def document() -> Document:
    """Every route as a channel its producer sends to, every queue as one its consumer receives from."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Routiq events", "version": "2.0.0", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {name: channel for route in ROUTES for name, channel in _channels(route).items()},
        "operations": {name: operation for route in ROUTES for name, operation in _operations(route).items()},
        "components": {"messages": {event.__name__: _message(event) for event in EVENTS}, "schemas": _schemas()},
    }


def _channels(route: Route) -> Document:
    exchange = {"is": "routingKey", "exchange": EXCHANGE, "bindingVersion": BINDING}
    queues = {
        name: {"is": "queue", "queue": {"name": name, **QUEUE}, "bindingVersion": BINDING}
        for name in map(route.queue, route.consumers)
    }
    name = route.event.__name__
    return {
        address: {
            "address": address,
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {"amqp": binding},
        }
        for address, binding in {route.key: exchange, **queues}.items()
    }


def _operations(route: Route) -> Document:
    received = {
        f"{consumer}.on.{route.key}": _operation("receive", route.queue(consumer), consumer, route)
        for consumer in route.consumers
    }
    return {route.key: _operation("send", route.key, route.producer, route), **received}


def _operation(action: str, address: str, service: str, route: Route) -> Document:
    channel = f"#/channels/{address}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{route.event.__name__}"}],
        "tags": [{"name": service}],
    }


def _message(event: type[Event]) -> Document:
    (example,) = (one for one in EXAMPLES if type(one) is event)
    return {
        "name": event.__name__,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "examples": [{"payload": example.model_dump(mode="json")}],
    }


def _schemas() -> Document:
    """Of the events and of the records in them, by name: what is added moves nothing else."""
    _, described = models_json_schema(
        [(event, "validation") for event in EVENTS], ref_template="#/components/schemas/{model}"
    )
    return dict(sorted(described["$defs"].items()))


def text() -> str:
    """As the file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
