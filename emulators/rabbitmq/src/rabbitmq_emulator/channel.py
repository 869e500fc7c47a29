"""A channel: publishes in, deliveries out, and who owes whom an answer."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

from pamqp import base, commands

from rabbitmq_emulator.consumer import Consumer, Delivery
from rabbitmq_emulator.content import IncomingContent
from rabbitmq_emulator.errors import HardError, not_found, precondition_failed
from rabbitmq_emulator.message import Entry, Message
from rabbitmq_emulator.queue import Queue
from rabbitmq_emulator.vhost import VirtualHost

if TYPE_CHECKING:
    from rabbitmq_emulator.connection import Connection

NO_ROUTE = 312


class Channel:
    def __init__(self, number: int, connection: "Connection", vhost: VirtualHost) -> None:
        self.number = number
        self.connection = connection
        self.vhost = vhost
        self.consumers: dict[str, Consumer] = {}
        # Basic.Qos sets the one for consumers that start later, or the one all consumers share.
        self.prefetch = 0
        self.shared_prefetch = 0
        self.confirms = False
        self.last_queue = ""
        self._unacked: dict[int, Delivery] = {}
        self._tags = itertools.count(1)
        self._incoming: IncomingContent | None = None
        self._published = 0
        self._confirmed = 0

    @property
    def is_congested(self) -> bool:
        return self.connection.is_congested

    @property
    def has_room(self) -> bool:
        return not self.shared_prefetch or len(self._unacked) < self.shared_prefetch

    def queue(self, name: str) -> Queue:
        """No name means the queue this channel declared last."""
        if not (name or self.last_queue):
            raise not_found("queue", "previously declared", self.vhost.name)
        return self.vhost.queue(name or self.last_queue, self.connection)

    def send(self, method: base.Frame) -> None:
        self.connection.send_method(self.number, method)

    def start_publish(self, method: commands.Basic.Publish) -> None:
        if self._incoming is not None:
            raise HardError(505, "UNEXPECTED_FRAME - a publish inside a publish")
        self._incoming = IncomingContent(method)

    def receive_content(self, add: Callable[[IncomingContent, bytes], None], payload: bytes) -> None:
        """`add` is the method of IncomingContent for this kind of frame."""
        incoming = self._incoming
        if incoming is None:
            raise HardError(505, "UNEXPECTED_FRAME - content without a publish")
        add(incoming, payload)
        if (message := incoming.message()) is not None:
            self._incoming = None
            self._publish(message, mandatory=incoming.method.mandatory)

    def send_confirms(self) -> None:
        """Everything published and not refused until now, in one Ack."""
        if self._published > self._confirmed:
            several = self._published - self._confirmed > 1
            self.send(commands.Basic.Ack(self._published, multiple=several))
            self._confirmed = self._published

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        tag = next(self._tags)
        if not consumer.no_ack:
            consumer.unacked += 1
            self._unacked[tag] = Delivery(consumer.queue, entry, consumer)
        message = entry.message
        redelivered = entry.deliveries > 1
        header = _header_counting(entry) if redelivered and consumer.queue.options.is_quorum else message.header
        method = commands.Basic.Deliver(consumer.tag, tag, redelivered, message.exchange, message.routing_key)
        self.connection.send_content(self.number, method, header, message.body)

    def deliver_fetched(self, queue: Queue, entry: Entry, *, no_ack: bool) -> None:
        tag = next(self._tags)
        if not no_ack:
            self._unacked[tag] = Delivery(queue, entry, None)
        message = entry.message
        # RabbitMQ 3.10 counts from the first fetch on, but from the second delivery to a consumer.
        header = _header_counting(entry) if queue.options.is_quorum else message.header
        method = commands.Basic.GetOk(
            tag, entry.deliveries > 1, message.exchange, message.routing_key, message_count=queue.ready
        )
        self.connection.send_content(self.number, method, header, message.body)

    def settle(self, tag: int, multiple: bool, outcome: Callable[[Queue, Entry], None]) -> None:
        """`outcome` is the method of Queue that ends the delivery; SoftError when the tag is not outstanding."""
        for settled in self._outstanding(tag, multiple):
            delivery = self._unacked.pop(settled)
            if delivery.consumer:
                delivery.consumer.unacked -= 1
            outcome(delivery.queue, delivery.entry)
        self.resume()

    def resume(self) -> None:
        """Consumers have room again."""
        for consumer in list(self.consumers.values()):
            consumer.queue.dispatch()

    def cancel(self, tag: str) -> None:
        consumer = self.consumers.pop(tag, None)
        if consumer is None:
            return
        queue = consumer.queue
        queue.consumers.remove(consumer)
        if queue.options.auto_delete and not queue.consumers and queue is self.vhost.queues.get(queue.name):
            self.vhost.remove_queue(queue)

    def cancelled_by_broker(self, consumer: Consumer) -> None:
        self.cancel(consumer.tag)
        if self.connection.hears_cancellations:
            self.send(commands.Basic.Cancel(consumer.tag, nowait=True))

    def close(self) -> None:
        """Consumers end; what they had not settled goes back to its queue."""
        for tag in list(self.consumers):
            self.cancel(tag)
        unacked, self._unacked = self._unacked, {}
        for delivery in unacked.values():
            delivery.queue.returned(delivery.entry)

    def _publish(self, message: Message, *, mandatory: bool) -> None:
        outcome = self.vhost.publish(message)
        if mandatory and not outcome.routed:
            method = commands.Basic.Return(NO_ROUTE, "NO_ROUTE", message.exchange, message.routing_key)
            self.connection.send_content(self.number, method, message.header, message.body)
        if not self.confirms:
            return
        if outcome.refused:
            self.send_confirms()
            self._published = self._confirmed = self._published + 1
            self.send(commands.Basic.Nack(self._published, multiple=False, requeue=False))
        else:
            self._published += 1
            self.connection.confirm_later(self)

    def _outstanding(self, tag: int, multiple: bool) -> list[int]:
        if multiple and tag == 0:
            return list(self._unacked)
        if tag not in self._unacked:
            raise precondition_failed(f"unknown delivery tag {tag}")
        return list(itertools.takewhile(lambda known: known <= tag, self._unacked)) if multiple else [tag]


def _header_counting(entry: Entry) -> bytes:
    headers = {**entry.message.headers, "x-delivery-count": entry.deliveries - 1}
    return entry.message.header_with(headers=headers)
