"""Refusals on their way to the audit: counted here for a few seconds, then published; no request waits for it.

The gateway has no database, hence no outbox. While the broker is away the sums grow, within the limits of `Tally`.
It declares nothing: a user of the broker that may write to the exchange `events` and do nothing else is all it needs.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange
from prometheus_client import Counter, Gauge

from chassis.logs import describe
from chassis.metrics import turned
from chassis.queues import CONNECTED
from chassis.tasks import set_within
from contracts.events import AccessRefused
from gateway.domain.turned_away import Sum, Tally, TurnedAway

log = structlog.get_logger()

SECONDS_APART = 5.0
"""For so long equal refusals are told as one."""
STOP_SECONDS = 3.0

WAITING = Gauge("routiq_gateway_refusals_waiting", "Refusals that the broker has not confirmed yet.")
OLDEST = Gauge("routiq_gateway_refusals_oldest_seconds", "Since the oldest of them happened; 0 without one.")
DROPPED = Counter("routiq_gateway_refusals_dropped", "Refusals that never got on record: no room, no broker.")

_EVENTS = RabbitExchange("events", type=ExchangeType.TOPIC, durable=True, declare=False)


class Refusals:
    """Announces them as `AccessRefused`, over a connection of its own."""

    def __init__(self, url: str, seconds_apart: float = SECONDS_APART) -> None:
        self._url, self._seconds_apart = url, seconds_apart
        self._tally = Tally()
        self._unconfirmed: Sequence[AccessRefused] = ()
        """Published again until confirmed, with the same ids; nothing else is taken from the tally before."""
        WAITING.set_function(lambda: self.waiting)
        OLDEST.set_function(lambda: self.oldest_seconds)

    @property
    def waiting(self) -> int:
        """How many would be lost if the process died now."""
        return self._tally.count + sum(event.count for event in self._unconfirmed)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest has waited."""
        waiting = [event.occurred_at for event in self._unconfirmed]
        now, oldest = datetime.now(UTC), self._tally.oldest
        return (now - min([*waiting, oldest or now])).total_seconds()

    def note(self, what: TurnedAway, request_id: str) -> None:
        """Somebody was turned away."""
        if not self._tally.note(what, request_id, datetime.now(UTC)):
            DROPPED.inc()

    async def announce(self) -> None:
        """Connect, and publish what gathers; return when the connection is lost. Call it again, for ever.

        Cancelled while there is a connection, it publishes the rest first.
        """
        lost = asyncio.Event()
        broker = RabbitBroker(
            self._url,
            app_id="gateway",
            default_channel=Channel(on_return_raises=True),
            on_close=[lambda *_: lost.set()],
            logger=None,
        )
        try:
            await broker.connect()
            await broker.declare_exchange(_EVENTS)  # raises while no service has made it
            CONNECTED.set(1)
            await self._keep_publishing(broker, lost)
        finally:
            CONNECTED.set(0)
            with suppress(TimeoutError):  # a broker that hangs does not answer the good-bye either
                async with asyncio.timeout(STOP_SECONDS):
                    await broker.stop()

    def close(self) -> None:
        """Say what will never be on record."""
        if self.waiting:
            DROPPED.inc(self.waiting)
            log.error("refusals are not on record", count=self.waiting)

    async def _keep_publishing(self, broker: RabbitBroker, lost: asyncio.Event) -> None:
        try:
            while not lost.is_set():
                turned("refusals", self._seconds_apart)
                await self._publish(broker)
                await set_within(lost, self._seconds_apart)
        except asyncio.CancelledError:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._publish(broker)
            raise

    async def _publish(self, broker: RabbitBroker) -> None:
        """What is not confirmed is kept."""
        if not self._unconfirmed:
            self._unconfirmed = [_event(one) for one in self._tally.take()]
        events = self._unconfirmed
        outcomes = await asyncio.gather(*(_publish(broker, event) for event in events), return_exceptions=True)
        failures = {event: error for event, error in zip(events, outcomes, strict=True) if error is not None}
        self._unconfirmed = list(failures)
        if failures:
            log.warning("refusals not published", count=len(failures), **describe(next(iter(failures.values()))))


async def _publish(broker: RabbitBroker, event: AccessRefused) -> None:
    """Raises when the broker has not confirmed that it is in a queue."""
    await broker.publish(
        event.model_dump_json().encode(),
        event.routing_key("gateway"),
        _EVENTS,
        message_id=str(event.event_id),
        content_type="application/json",
        persist=True,
        mandatory=True,
        timeout=10,
    )


def _event(one: Sum) -> AccessRefused:
    return AccessRefused(
        **one.what._asdict(),
        request_id=one.request_id,
        occurred_at=one.first_at,
        last_at=one.last_at,
        count=one.count,
    )
