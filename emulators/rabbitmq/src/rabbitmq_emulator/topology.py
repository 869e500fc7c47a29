"""What clients ask of exchanges, queues and bindings."""

import secrets
from collections.abc import Callable
from typing import Any

from pamqp import base, commands

from rabbitmq_emulator.channel import Channel
from rabbitmq_emulator.errors import access_refused, not_implemented, precondition_failed, resource_locked
from rabbitmq_emulator.exchange import Exchange
from rabbitmq_emulator.queue import Queue
from rabbitmq_emulator.queue_options import QueueOptions, check_quorum_properties
from rabbitmq_emulator.vhost import SYSTEM_EXCHANGES

# RabbitMQ answers for this name as if it were a queue; clients ask at start, whether or not they will use it.
DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"


def declare_exchange(channel: Channel, method: commands.Exchange.Declare) -> base.Frame:
    name, vhost = method.exchange, channel.vhost
    if method.passive or not name:
        vhost.exchange(name)
        return commands.Exchange.DeclareOk()
    if "alternate-exchange" in (method.arguments or {}):
        raise not_implemented("this emulator has no 'alternate-exchange'")
    declared = Exchange(name, method.exchange_type, method.durable, method.auto_delete, method.internal)
    if name in vhost.exchanges:
        vhost.exchanges[name].check_equivalent(declared, vhost.name)
    else:
        _check_name("exchange", name)
        vhost.add_exchange(declared)
    return commands.Exchange.DeclareOk()


def delete_exchange(channel: Channel, method: commands.Exchange.Delete) -> base.Frame:
    name, vhost = method.exchange, channel.vhost
    if name in SYSTEM_EXCHANGES:
        raise access_refused(f"deletion of system exchange '{name}' in vhost '{vhost.name}' not allowed")
    if not name or name in vhost.exchanges:
        exchange = vhost.exchange(name)
        if method.if_unused and exchange.bindings:
            raise precondition_failed(f"exchange '{name}' in vhost '{vhost.name}' in use")
        vhost.remove_exchange(exchange)
    return commands.Exchange.DeleteOk()


def declare_queue(channel: Channel, method: commands.Queue.Declare) -> base.Frame:
    if method.queue == DIRECT_REPLY_TO:
        return commands.Queue.DeclareOk(DIRECT_REPLY_TO, 0, 0)
    queue = channel.queue(method.queue) if method.passive else _declared(channel, method)
    channel.last_queue = queue.name
    return commands.Queue.DeclareOk(queue.name, queue.ready, len(queue.consumers))


def bind_queue(channel: Channel, method: commands.Queue.Bind) -> base.Frame:
    queue = channel.queue(method.queue)
    channel.vhost.bind(channel.vhost.exchange(method.exchange), queue, method.routing_key, method.arguments or {})
    return commands.Queue.BindOk()


def unbind_queue(channel: Channel, method: commands.Queue.Unbind) -> base.Frame:
    """Succeeds also when there is no such queue, exchange or binding."""
    vhost, name = channel.vhost, method.queue or channel.last_queue
    if name in vhost.queues and method.exchange in vhost.exchanges:
        exchange = vhost.exchanges[method.exchange]
        vhost.unbind(exchange, channel.queue(name), method.routing_key, method.arguments or {})
    return commands.Queue.UnbindOk()


def purge_queue(channel: Channel, method: commands.Queue.Purge) -> base.Frame:
    return commands.Queue.PurgeOk(channel.queue(method.queue).purge())


def delete_queue(channel: Channel, method: commands.Queue.Delete) -> base.Frame:
    vhost, name = channel.vhost, method.queue or channel.last_queue
    if name not in vhost.queues:
        return commands.Queue.DeleteOk(0)
    queue = channel.queue(name)
    _check_deletable(queue, method, _where(channel, name))
    ready = queue.ready
    vhost.remove_queue(queue)
    return commands.Queue.DeleteOk(ready)


def _declared(channel: Channel, method: commands.Queue.Declare) -> Queue:
    name, where = method.queue or f"amq.gen-{secrets.token_urlsafe(16)}", _where(channel, method.queue)
    options = QueueOptions.declared(
        method.arguments or {}, durable=method.durable, auto_delete=method.auto_delete, where=where
    )
    if name in channel.vhost.queues:
        queue = channel.queue(name)
        if method.exclusive != (queue.owner is not None):
            raise resource_locked(name, channel.vhost.name)
        queue.options.check_equivalent(options, where)
        return queue
    _check_name("queue", method.queue)
    if options.is_quorum:
        check_quorum_properties(
            durable=method.durable, exclusive=method.exclusive, auto_delete=method.auto_delete, where=where
        )
    return channel.vhost.add_queue(name, options, channel.connection if method.exclusive else None)


def _check_deletable(queue: Queue, method: commands.Queue.Delete, where: str) -> None:
    if queue.options.is_quorum and (method.if_unused or method.if_empty):
        flag = "if-unused" if method.if_unused else "if-empty"
        raise not_implemented(
            f"cannot delete {where}. queue.delete operations with {flag} flag set are not supported by quorum queues"
        )
    if method.if_unused and queue.consumers:
        raise precondition_failed(f"{where} in use")
    if method.if_empty and queue.ready:
        raise precondition_failed(f"{where} not empty")


def _where(channel: Channel, queue: str) -> str:
    return f"queue '{queue}' in vhost '{channel.vhost.name}'"


def _check_name(kind: str, name: str) -> None:
    if name.startswith("amq."):
        raise access_refused(f"{kind} name '{name}' contains reserved prefix 'amq.*'")


TOPOLOGY_METHODS: dict[type[base.Frame], Callable[[Channel, Any], base.Frame]] = {
    commands.Exchange.Declare: declare_exchange,
    commands.Exchange.Delete: delete_exchange,
    commands.Queue.Declare: declare_queue,
    commands.Queue.Bind: bind_queue,
    commands.Queue.Unbind: unbind_queue,
    commands.Queue.Purge: purge_queue,
    commands.Queue.Delete: delete_queue,
}
