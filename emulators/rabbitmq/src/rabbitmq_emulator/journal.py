"""What a broker keeps, and the journal that keeps nothing."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rabbitmq_emulator.exchange import Binding, Exchange
    from rabbitmq_emulator.message import Entry
    from rabbitmq_emulator.queue import Queue


class Journal:
    """The base forgets everything. `ids` number queues and entries, growing across restarts."""

    def __init__(self) -> None:
        self.ids: Iterator[int] = itertools.count(1)

    def keeps(self, durable_queue: bool, persistent_message: bool) -> bool:
        """Whether an entry for such a message in such a queue is written down."""
        return False

    def exchange_declared(self, vhost: str, exchange: "Exchange") -> None: ...

    def exchange_deleted(self, vhost: str, exchange: "Exchange") -> None: ...

    def queue_declared(self, vhost: str, queue: "Queue") -> None: ...

    def queue_deleted(self, vhost: str, queue: "Queue") -> None: ...

    def bound(self, vhost: str, exchange: "Exchange", binding: "Binding") -> None: ...

    def unbound(self, vhost: str, exchange: "Exchange", binding: "Binding") -> None: ...

    def enqueued(self, queue_id: int, entry: "Entry") -> None: ...

    def delivered(self, entry: "Entry") -> None: ...

    def removed(self, entry: "Entry") -> None: ...

    def commit(self) -> None:
        """Everything recorded so far outlives this process once this returns."""

    def close(self) -> None: ...
