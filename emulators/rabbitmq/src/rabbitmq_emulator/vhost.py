"""A virtual host: a namespace of exchanges and queues, and the ways through it."""

from collections.abc import Iterable
from dataclasses import dataclass

from pamqp.common import FieldTable

from rabbitmq_emulator.dead_letter import REJECTED, dead_lettered, dies_in_circles
from rabbitmq_emulator.errors import access_refused, not_found, resource_locked
from rabbitmq_emulator.exchange import Binding, Exchange
from rabbitmq_emulator.journal import Journal
from rabbitmq_emulator.message import Message
from rabbitmq_emulator.queue import Queue
from rabbitmq_emulator.queue_options import QueueOptions

SYSTEM_EXCHANGES = {
    "amq.direct": "direct",
    "amq.fanout": "fanout",
    "amq.headers": "headers",
    "amq.match": "headers",
    "amq.topic": "topic",
}


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a message: did any queue match, and did one of them refuse it."""

    routed: bool
    refused: bool


class VirtualHost:
    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.queues: dict[str, Queue] = {}
        self.exchanges = {name: Exchange(name, kind, durable=True) for name, kind in SYSTEM_EXCHANGES.items()}
        self._journal = journal

    def exchange(self, name: str) -> Exchange:
        """SoftError when there is none; the default exchange is not one a client may touch."""
        if not name:
            raise access_refused("operation not permitted on the default exchange")
        if name not in self.exchanges:
            raise not_found("exchange", name, self.name)
        return self.exchanges[name]

    def queue(self, name: str, user: object) -> Queue:
        """SoftError when there is none, or when it belongs to another connection than `user`."""
        if name not in self.queues:
            raise not_found("queue", name, self.name)
        queue = self.queues[name]
        if queue.owner not in (None, user):
            raise resource_locked(name, self.name)
        return queue

    def add_exchange(self, exchange: Exchange) -> None:
        self.exchanges[exchange.name] = exchange
        self._journal.exchange_declared(self.name, exchange)
        self._retry_stranded()

    def remove_exchange(self, exchange: Exchange) -> None:
        del self.exchanges[exchange.name]
        self._journal.exchange_deleted(self.name, exchange)

    def add_queue(self, name: str, options: QueueOptions, owner: object | None) -> Queue:
        queue = Queue(next(self._journal.ids), name, options, self._journal, self.bury, owner)
        self.queues[name] = queue
        self._journal.queue_declared(self.name, queue)
        self._retry_stranded()
        return queue

    def remove_queue(self, queue: Queue) -> None:
        del self.queues[queue.name]
        self._journal.queue_deleted(self.name, queue)
        for exchange in list(self.exchanges.values()):
            self._unbind(exchange, [binding for binding in exchange.bindings.values() if binding.queue is queue])
        queue.close()

    def remove_queues_of(self, owner: object) -> None:
        for queue in [queue for queue in self.queues.values() if queue.owner is owner]:
            self.remove_queue(queue)

    def bind(self, exchange: Exchange, queue: Queue, routing_key: str, arguments: FieldTable) -> None:
        binding = Binding(queue, routing_key, arguments)
        exchange.bind(binding)
        self._journal.bound(self.name, exchange, binding)
        self._retry_stranded()

    def unbind(self, exchange: Exchange, queue: Queue, routing_key: str, arguments: FieldTable) -> None:
        self._unbind(exchange, [Binding(queue, routing_key, arguments)])

    def publish(self, message: Message) -> Published:
        """SoftError when the exchange does not exist or takes nothing from clients."""
        if message.exchange and self.exchange(message.exchange).internal:
            raise access_refused(f"cannot publish to internal exchange '{message.exchange}' in vhost '{self.name}'")
        return _offer(message, self._route(message))

    def bury(self, queue: Queue, message: Message, reason: str) -> bool:
        """Publishes what died in `queue`; False when that left it in no other queue, or not in all it should be in."""
        options = queue.options
        target, key = options.dead_letter_exchange or "", options.dead_letter_routing_key
        if target and target not in self.exchanges:
            return False
        letter = dead_lettered(message, queue.name, reason, target, key)
        queues = self._route(letter)
        if reason != REJECTED:
            queues = [heir for heir in queues if not dies_in_circles(letter, heir.name)]
        outcome = _offer(letter, queues)
        return outcome.routed and not outcome.refused

    def _route(self, message: Message) -> list[Queue]:
        """The default exchange is bound to every queue by its name."""
        if message.exchange:
            return self.exchanges[message.exchange].route(message)
        queue = self.queues.get(message.routing_key)
        return [] if queue is None else [queue]

    def _unbind(self, exchange: Exchange, bindings: Iterable[Binding]) -> None:
        """An exchange that deletes itself does so with its last binding."""
        removed = [binding for binding in bindings if exchange.unbind(binding)]
        for binding in removed:
            self._journal.unbound(self.name, exchange, binding)
        if removed and exchange.auto_delete and not exchange.bindings:
            self.remove_exchange(exchange)

    def _retry_stranded(self) -> None:
        for queue in self.queues.values():
            queue.retry_stranded()


def _offer(message: Message, queues: list[Queue]) -> Published:
    accepted = [queue.offer(message) for queue in queues]
    return Published(routed=bool(queues), refused=not all(accepted))
