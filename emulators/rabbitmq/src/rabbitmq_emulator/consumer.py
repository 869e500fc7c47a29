"""A subscription of one channel to one queue, and what it still has to settle."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rabbitmq_emulator.message import Entry
from rabbitmq_emulator.queue import Queue

if TYPE_CHECKING:
    from rabbitmq_emulator.channel import Channel


@dataclass(slots=True, eq=False)
class Consumer:
    """`prefetch` is how many messages it may hold unsettled; 0: any number."""

    tag: str
    queue: Queue
    channel: "Channel"
    no_ack: bool
    exclusive: bool
    prefetch: int
    unacked: int = 0

    @property
    def has_room(self) -> bool:
        if self.channel.is_congested:
            return False
        return self.no_ack or (self.channel.has_room and (not self.prefetch or self.unacked < self.prefetch))

    def deliver(self, entry: Entry) -> None:
        self.channel.deliver(self, entry)

    def queue_deleted(self) -> None:
        self.channel.cancelled_by_broker(self)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message somebody has to settle; without a consumer when it was fetched with Basic.Get."""

    queue: Queue
    entry: Entry
    consumer: Consumer | None
