"""A queue: messages waiting, the order they leave in, and the ways they die."""

import asyncio
import time
from bisect import insort
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Protocol

from rabbitmq_emulator import dead_letter
from rabbitmq_emulator.journal import Journal
from rabbitmq_emulator.message import Entry, Message
from rabbitmq_emulator.queue_options import QueueOptions

# A full quorum queue takes messages again once it has drained to this share of its length.
REOPENS_AT = 0.8
# The alarm of a distant expiry is set anew each day: event loops take no arbitrarily long delay.
LONGEST_ALARM = 86_400.0


class Consumer(Protocol):
    """Somebody a queue hands messages to."""

    no_ack: bool
    exclusive: bool

    @property
    def has_room(self) -> bool: ...

    def deliver(self, entry: Entry) -> None: ...

    def queue_deleted(self) -> None: ...


class Queue:
    """`bury` publishes a dead message and says whether any queue took it; `owner` is who declared it exclusive."""

    def __init__(
        self,
        queue_id: int,
        name: str,
        options: QueueOptions,
        journal: Journal,
        bury: "Callable[[Queue, Message, str], bool]",
        owner: object | None = None,
    ) -> None:
        self.id = queue_id
        self.name = name
        self.options = options
        self.owner = owner
        self.consumers: deque[Consumer] = deque()
        self._journal = journal
        self._bury = bury
        # Messages that came back leave first; those never handed out stand in the order they came.
        self._returned: deque[Entry] = deque()
        self._fresh: deque[Entry] = deque()
        self._stranded: list[tuple[Entry, str]] = []
        self._is_full = False
        self._is_deleted = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None

    @property
    def ready(self) -> int:
        return len(self._returned) + len(self._fresh)

    def offer(self, message: Message) -> bool:
        """False: the queue is full and refuses the message."""
        if self._refuses():
            return False
        now = time.time()
        is_kept = self._journal.keeps(self.options.durable, self.options.is_quorum or message.is_persistent)
        entry = Entry(next(self._journal.ids), message, self._expiry(message, now), is_kept)
        self._fresh.append(entry)
        if is_kept:
            self._journal.enqueued(self.id, entry)
        self.dispatch(now)
        self._enforce_length()
        return True

    def dispatch(self, now: float | None = None) -> None:
        """Hands messages out, to the consumers in turn, while there are both."""
        now = time.time() if now is None else now
        self._drop_expired(now)
        while self.ready and (consumer := self._next_consumer()):
            consumer.deliver(self._hand_out(no_ack=consumer.no_ack))
            self._drop_expired(now)
        self._set_alarm()

    def take(self, *, no_ack: bool) -> Entry | None:
        self._drop_expired(time.time())
        entry = self._hand_out(no_ack=no_ack) if self.ready else None
        self._set_alarm()
        return entry

    def settled(self, entry: Entry) -> None:
        self._forget(entry)

    def rejected(self, entry: Entry) -> None:
        self._die(entry, dead_letter.REJECTED)

    def requeued(self, entry: Entry) -> None:
        """A consumer chose to give it back. A quorum queue without a delivery limit sends it to the end of the line."""
        if self.options.is_quorum and self.options.delivery_limit is None:
            self._fresh.append(entry)
            self.dispatch()
        else:
            self.returned(entry)

    def returned(self, entry: Entry) -> None:
        """It came back, because a consumer gave it up or went away."""
        if self._is_deleted:
            return
        limit = self.options.delivery_limit
        if limit is not None and entry.deliveries > limit:
            self._die(entry, dead_letter.DELIVERY_LIMIT)
            return
        if self.options.is_quorum:
            self._returned.append(entry)
        else:
            insort(self._returned, entry, key=attrgetter("id"))
        self.dispatch()

    def restored(self, entry: Entry) -> None:
        """Read from the journal. Whoever had it is gone with the broker that handed it out."""
        if entry.deliveries:
            self.returned(entry)
        else:
            self._fresh.append(entry)
            self._set_alarm()

    def retry_stranded(self) -> None:
        """The dead letters nobody took, once more."""
        stranded, self._stranded = self._stranded, []
        for entry, reason in stranded:
            self._die(entry, reason)

    def purge(self) -> int:
        purged = self.ready
        while self.ready:
            self._forget(self._pop())
        self._set_alarm()
        return purged

    def close(self) -> None:
        """The queue is deleted, its messages with it."""
        self._is_deleted = True
        self._returned.clear()
        self._fresh.clear()
        self._stranded.clear()
        self._set_alarm()
        for consumer in list(self.consumers):
            consumer.queue_deleted()

    def _hand_out(self, *, no_ack: bool) -> Entry:
        entry = self._pop()
        if no_ack:
            self._forget(entry)
        elif entry.is_kept:
            self._journal.delivered(entry)
        entry.deliveries += 1
        return entry

    def _next_consumer(self) -> Consumer | None:
        for _ in range(len(self.consumers)):
            consumer = self.consumers[0]
            self.consumers.rotate(-1)
            if consumer.has_room:
                return consumer
        return None

    def _head(self) -> Entry | None:
        waiting = self._returned or self._fresh
        return waiting[0] if waiting else None

    def _pop(self) -> Entry:
        return (self._returned or self._fresh).popleft()

    def _refuses(self) -> bool:
        """RabbitMQ's quorum queues notice one message late that they are full, and reopen late too."""
        length = self.options.max_length
        if length is None or not self.options.rejects_publish:
            return False
        if not self.options.is_quorum:
            return self.ready >= length
        self._is_full = self._is_full and self.ready > length * REOPENS_AT
        return self._is_full

    def _enforce_length(self) -> None:
        length = self.options.max_length
        if length is None:
            return
        if self.options.rejects_publish:
            self._is_full = self._is_full or self.ready > length
            return
        while self.ready > length:
            self._die(self._pop(), dead_letter.MAXLEN)
        self._set_alarm()

    def _expiry(self, message: Message, now: float) -> float | None:
        lifetimes = [seconds for seconds in (self.options.message_ttl, message.lifetime) if seconds is not None]
        return now + min(lifetimes) if lifetimes else None

    def _drop_expired(self, now: float) -> None:
        """From the head only, as RabbitMQ does: a shorter life behind a longer one waits for it."""
        while (head := self._head()) and head.expires_at is not None and head.expires_at < now:
            self._die(self._pop(), dead_letter.EXPIRED)

    def _set_alarm(self) -> None:
        """Wakes the queue when its head expires, whether or not anybody consumes."""
        head = self._head()
        expires_at = head.expires_at if head else None
        if expires_at == self._alarm_at:
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = expires_at
        self._alarm = None
        if expires_at is not None:
            delay = min(max(0.0, expires_at - time.time()), LONGEST_ALARM)
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm_at = None
        self.dispatch()

    def _die(self, entry: Entry, reason: str) -> None:
        """Dead letters under the at-least-once strategy stay with their queue until another one takes them."""
        has_no_heir = self._is_deleted or self.options.dead_letter_exchange is None
        if has_no_heir or self._bury(self, entry.message, reason):
            self._forget(entry)
        elif self.options.dead_letters_at_least_once:
            self._stranded.append((entry, reason))
        else:
            self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        if entry.is_kept:
            self._journal.removed(entry)
