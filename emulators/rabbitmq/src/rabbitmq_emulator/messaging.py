"""What clients ask of messages: publish, consume, fetch, settle."""

import secrets
from collections.abc import Callable
from typing import Any

from pamqp import base, commands

from rabbitmq_emulator.channel import Channel
from rabbitmq_emulator.consumer import Consumer
from rabbitmq_emulator.errors import HardError, access_refused, not_implemented
from rabbitmq_emulator.queue import Queue


def publish(channel: Channel, method: commands.Basic.Publish) -> None:
    channel.start_publish(method)


def ack(channel: Channel, method: commands.Basic.Ack) -> None:
    channel.settle(method.delivery_tag, method.multiple, Queue.settled)


def nack(channel: Channel, method: commands.Basic.Nack) -> None:
    channel.settle(method.delivery_tag, method.multiple, Queue.requeued if method.requeue else Queue.rejected)


def reject(channel: Channel, method: commands.Basic.Reject) -> None:
    channel.settle(method.delivery_tag or 0, False, Queue.requeued if method.requeue else Queue.rejected)


def qos(channel: Channel, method: commands.Basic.Qos) -> base.Frame:
    if method.prefetch_size:
        raise not_implemented(f"prefetch_size!=0 ({method.prefetch_size})")
    if method.global_:
        channel.shared_prefetch = method.prefetch_count
        channel.resume()
    else:
        channel.prefetch = method.prefetch_count
    return commands.Basic.QosOk()


def consume(channel: Channel, method: commands.Basic.Consume) -> None:
    """Answers itself: the answer has to come before the first message."""
    queue = channel.queue(method.queue)
    tag = method.consumer_tag or f"amq.ctag-{secrets.token_urlsafe(16)}"
    # RabbitMQ's quorum queues let others in beside an exclusive consumer.
    exclusive = method.exclusive and not queue.options.is_quorum
    _check_may_consume(channel, queue, tag, exclusive=exclusive)
    consumer = Consumer(tag, queue, channel, method.no_ack, exclusive, channel.prefetch)
    channel.consumers[tag] = consumer
    queue.consumers.append(consumer)
    if not method.nowait:
        channel.send(commands.Basic.ConsumeOk(tag))
    queue.dispatch()


def cancel(channel: Channel, method: commands.Basic.Cancel) -> base.Frame:
    tag = method.consumer_tag or ""
    channel.cancel(tag)
    return commands.Basic.CancelOk(tag)


def get(channel: Channel, method: commands.Basic.Get) -> base.Frame | None:
    queue = channel.queue(method.queue)
    entry = queue.take(no_ack=method.no_ack)
    if entry is None:
        return commands.Basic.GetEmpty()
    channel.deliver_fetched(queue, entry, no_ack=method.no_ack)
    return None


def select_confirms(channel: Channel, _method: commands.Confirm.Select) -> base.Frame:
    channel.confirms = True
    return commands.Confirm.SelectOk()


def _check_may_consume(channel: Channel, queue: Queue, tag: str, *, exclusive: bool) -> None:
    where = f"queue '{queue.name}' in vhost '{channel.vhost.name}'"
    if tag in channel.consumers:
        raise HardError(530, f"NOT_ALLOWED - attempt to reuse consumer tag '{tag}'")
    if (exclusive and queue.consumers) or any(consumer.exclusive for consumer in queue.consumers):
        raise access_refused(f"{where} in exclusive use")
    if channel.shared_prefetch and queue.options.is_quorum:
        raise not_implemented(f"{where} does not support global qos")


MESSAGING_METHODS: dict[type[base.Frame], Callable[[Channel, Any], base.Frame | None]] = {
    commands.Basic.Publish: publish,
    commands.Basic.Ack: ack,
    commands.Basic.Nack: nack,
    commands.Basic.Reject: reject,
    commands.Basic.Qos: qos,
    commands.Basic.Consume: consume,
    commands.Basic.Cancel: cancel,
    commands.Basic.Get: get,
    commands.Confirm.Select: select_confirms,
}
