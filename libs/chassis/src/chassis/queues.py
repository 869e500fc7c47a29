"""How each queue stands, as far as a service can tell from its own side: the same figures from every broker.

Consumers and producers of a queue both say how much waits in it, so that it is seen when its consumer has gone:
take the maximum. What is at hand is each process's own.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from aio_pika.abc import AbstractQueue
from prometheus_client import Counter, Gauge, Histogram

from chassis.metrics import MESSAGES
from chassis.topology import DEAD, RETRY

CONNECTED = Gauge("routiq_broker_connected", "1 while this process has its connection to the broker.")
WAITING = Gauge("routiq_queue_messages", "Messages that wait, those at hand not counted.", ["queue"])
CONSUMERS = Gauge("routiq_queue_consumers", "Consumers the broker knows of.", ["queue"])
DEAD_LETTERS = Gauge("routiq_queue_dead_letters", "Messages laid aside for a person to look at.", ["queue"])
RETRIES = Gauge("routiq_queue_retries", "Messages that failed and wait to be tried again.", ["queue"])
AT_HAND = Gauge("routiq_queue_at_hand", "Messages this process was given and has not settled.", ["queue"])
OLDEST = Gauge(
    "routiq_queue_oldest_seconds", "Since the oldest message at hand was published; 0 without one.", ["queue"]
)
AGE = Histogram(
    "routiq_message_age_seconds",
    "Since a message was published, or sent to be tried again, when its handling begins.",
    ["queue"],
    buckets=(1, 2, 5, 15, 60, 300, 900, 3600, 14400),
)
REDELIVERED = Counter(
    "routiq_messages_redelivered_total", "Messages given to a consumer before, and not settled.", ["queue"]
)

OUTCOMES = ("handled", "retried", "dead", "returned")

_at_hand: defaultdict[str, dict[object, float]] = defaultdict(dict)
"""By queue: when each message was published."""


@contextmanager
def at_hand(queue: str, published: datetime | None, *, redelivered: bool | None) -> Iterator[None]:
    """Count a message of `queue` as being handled."""
    now, message = time.time(), object()
    since = now if published is None else min(now, published.replace(tzinfo=UTC).timestamp())
    AGE.labels(queue).observe(now - since)
    if redelivered:
        REDELIVERED.labels(queue).inc()
    _at_hand[queue][message] = since
    try:
        yield
    finally:
        del _at_hand[queue][message]


def watch(queue: str) -> None:
    """Show what is at hand of a queue whenever somebody looks, and what may become of it before it first does."""
    REDELIVERED.labels(queue)
    for outcome in OUTCOMES:
        MESSAGES.labels(queue, outcome)
    AT_HAND.labels(queue).set_function(lambda: len(_at_hand[queue]))
    OLDEST.labels(queue).set_function(lambda: _oldest(queue))


def _oldest(queue: str) -> float:
    now = time.time()
    return now - min(_at_hand[queue].values(), default=now)


async def measure(queues: Sequence[AbstractQueue]) -> None:
    """Ask the broker how each stands; raises when it is away."""
    for queue in queues:
        standing = await queue.declare(timeout=5)
        messages = standing.message_count or 0
        if queue.name.startswith(RETRY):
            RETRIES.labels(queue.name).set(messages)
        elif queue.name.endswith(DEAD):
            DEAD_LETTERS.labels(queue.name.removesuffix(DEAD)).set(messages)
        else:
            WAITING.labels(queue.name).set(messages)
            CONSUMERS.labels(queue.name).set(standing.consumer_count or 0)


def forget() -> None:
    """The broker is away: nothing is said of the queues rather than what was."""
    CONNECTED.set(0)
    for gauge in (WAITING, CONSUMERS, DEAD_LETTERS, RETRIES):
        gauge.clear()
