"""The exchanges and queues of RabbitMQ, the same from whichever service declares them.

A message that fails waits in a retry queue (one per delay, shared by all) and comes back to its own queue: the retry
exchange is a fanout, so the routing key stays free to name the queue to return to through the default exchange.
Dead letters have an exchange of their own: whoever may write to the default one may write to every queue.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from aio_pika.abc import AbstractExchange, AbstractQueue
from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue

from contracts.routes import Route

if TYPE_CHECKING:
    from faststream.rabbit.schemas.queue import QuorumQueueArgs

DEAD, RETRY = ".dead", "retry."
"""The end of a dead-letter queue's name, and the beginning of a retry queue's."""

EVENTS = RabbitExchange("events", type=ExchangeType.TOPIC, durable=True)
DEAD_LETTERS = RabbitExchange("dead-letters", type=ExchangeType.TOPIC, durable=True)
"""Takes a dead letter to the queue that its routing key names."""

DELIVERY_LIMIT = 20
"""How often a message may come back unsettled, each time a consumer died with it, before it is a dead letter."""

SAFE_DEAD_LETTERING = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
"""The broker keeps a message until the queue it is dead-lettered to has confirmed it."""


def queue(name: str, key: str) -> RabbitQueue:
    """A service's queue for one event; dead letters go to `<name>.dead`."""
    arguments = {
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead(name),
        **SAFE_DEAD_LETTERING,
    }
    return _quorum(name, arguments, key)


def dead(name: str) -> str:
    """The name of a queue's dead-letter queue."""
    return f"{name}{DEAD}"


def retry_exchange(delay: int) -> RabbitExchange:
    """Where a message goes that should come back after `delay` seconds."""
    return RabbitExchange(f"{RETRY}{delay}s", type=ExchangeType.FANOUT, durable=True)


def dead_queue(name: str) -> RabbitQueue:
    """Where the messages lie that the queue of this name has given up."""
    return _quorum(dead(name), key=dead(name))


def retry_queue(delay: int) -> RabbitQueue:
    """Where messages wait for `delay` seconds, before the default exchange brings them to the queue they name."""
    arguments = {"x-message-ttl": delay * 1000, "x-dead-letter-exchange": "", **SAFE_DEAD_LETTERING}
    return _quorum(f"{RETRY}{delay}s", arguments)


async def declare(broker: RabbitBroker, routes: Sequence[Route], delays: Sequence[int]) -> list[AbstractQueue]:
    """Declare all that these routes need. The producer does it too, so that nothing announced early is lost."""
    queues: list[AbstractQueue] = []
    events, dead_letters = await broker.declare_exchange(EVENTS), await broker.declare_exchange(DEAD_LETTERS)
    for route in routes:
        for consumer in route.consumers:
            name = route.queue(consumer)
            queues.append(await _bound(broker, dead_queue(name), dead_letters))
            queues.append(await _bound(broker, queue(name, route.key), events))
    for delay in delays:
        exchange = await broker.declare_exchange(retry_exchange(delay))
        queues.append(await _bound(broker, retry_queue(delay), exchange))
    return queues


async def find(broker: RabbitBroker, routes: Sequence[Route], delays: Sequence[int]) -> list[AbstractQueue]:
    """The same queues where the broker brings them itself. Raises ChannelNotFoundEntity when one is not there."""
    names = [route.queue(consumer) for route in routes for consumer in route.consumers]
    wanted = [*names, *map(dead, names), *(retry_queue(delay).name for delay in delays)]
    return [await broker.declare_queue(RabbitQueue(name, declare=False)) for name in wanted]


async def _bound(broker: RabbitBroker, wanted: RabbitQueue, exchange: AbstractExchange) -> AbstractQueue:
    declared = await broker.declare_queue(wanted)
    await declared.bind(exchange, routing_key=wanted.routing_key, robust=False)
    return declared


def _quorum(name: str, arguments: Mapping[str, object] | None = None, key: str = "") -> RabbitQueue:
    checked = cast("QuorumQueueArgs", arguments or {})
    return RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, routing_key=key, arguments=checked)
