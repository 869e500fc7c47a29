"""The service's one connection to RabbitMQ: made, watched, and made anew when it is lost."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, cast

import aiormq
import structlog
from aio_pika.abc import AbstractQueue
from aio_pika.exceptions import DeliveryError, PublishError
from faststream import AckPolicy, BaseMiddleware
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from opentelemetry.trace import Span, SpanKind

from chassis import queues, topology, tracing
from chassis.consumers import Consumers, Subscription
from chassis.database import Database
from chassis.gathering import Gathering
from chassis.metrics import turned
from chassis.outbox import Letter
from chassis.settlement import Settlement, middleware
from chassis.tasks import set_within
from contracts.base import Event
from contracts.routes import ROUTES, Route

log = structlog.get_logger()

PREFETCH = 40
"""Messages at hand in each queue, a page each."""
SECONDS_APART = 0.1
"""Between two groups of messages of one organization that are handled together."""
HANDLED_AT_ONCE = 6
"""Over all queues: the other database connections are for requests, the relay and the readiness check."""
WATCH_SECONDS, MEASURE_SECONDS, STOP_SECONDS = 5.0, 10.0, 5.0


class Delivery(NamedTuple):
    """An event, and the span of the message that brought it."""

    event: Event
    span: Span


class Messaging:
    """Receives for the service's consumers and publishes its letters, over a connection that heals itself."""

    def __init__(
        self,
        url: str,
        consumers: Consumers,
        database: Database,
        delays: Sequence[int],
        routes: Sequence[Route] = ROUTES,
        *,
        declares: bool = True,
    ) -> None:
        self._url = url
        self._topology = topology.declare if declares else topology.find
        self._declares = declares
        self._consumers = consumers
        self._database = database
        self._delays = delays
        service = consumers.service
        self._routes = [route for route in routes if route.producer == service or service in route.consumers]
        self._broker: RabbitBroker | None = None
        self._queues: list[AbstractQueue] = []
        self._connected = asyncio.Event()
        self._handling = asyncio.Semaphore(HANDLED_AT_ONCE)

    async def stay_connected(self) -> None:
        """Connect, declare, consume; return when the connection or a consumer is lost. Call it again, for ever."""
        lost = asyncio.Event()
        broker = self._new_broker(lost)
        try:
            await broker.connect()
            self._queues = await self._topology(broker, self._routes, self._delays)
            await broker.start()
            self._broker = broker
            self._connected.set()
            queues.CONNECTED.set(1)
            log.info("broker connected")
            await self._watch(lost)
            log.warning("broker connection lost")
        finally:
            self._connected.clear()
            queues.forget()
            self._broker = None
            with suppress(TimeoutError):  # a broker that hangs does not answer the good-bye either
                async with asyncio.timeout(STOP_SECONDS):
                    await broker.stop()

    async def connected(self) -> None:
        """Return while there is a connection, wait while there is none."""
        await self._connected.wait()

    async def keep_measuring(self) -> None:
        """Say how the queues stand while the broker can be asked, for ever. Raises when it is lost meanwhile."""
        while True:
            await self.connected()
            await queues.measure(self._queues)
            turned("queues", MEASURE_SECONDS)
            await asyncio.sleep(MEASURE_SECONDS)

    async def publish(self, letter: Letter) -> None:
        """Publish one event. Raises when the broker has not confirmed that it is in a queue, or is away."""
        broker = self._broker
        if broker is None:
            raise ConnectionError
        with tracing.goes_on(f"publish {letter.routing_key}", SpanKind.PRODUCER, letter.traceparent):
            await broker.publish(
                letter.body,
                letter.routing_key,
                topology.EVENTS,
                headers={**tracing.headers()},
                message_id=str(letter.event_id),
                content_type="application/json",
                persist=True,
                mandatory=True,
                timestamp=datetime.now(UTC),
                timeout=10,
            )

    async def consuming(self) -> bool:
        """True when this process consumes from every queue of the service, and the broker says so too."""
        broker = self._broker
        if broker is None:
            return False
        for subscription in self._consumers.subscriptions:
            declared = await broker.declare_queue(self._queue_of(subscription))
            channel = cast(aiormq.Channel, await declared.channel.get_underlay_channel())
            everywhere = (await declared.declare(timeout=5)).consumer_count
            if len(channel.consumers) < len(self._consumers.subscriptions) or not everywhere:
                return False
        return True

    async def _watch(self, lost: asyncio.Event) -> None:
        while not lost.is_set():
            turned("messaging", WATCH_SECONDS)
            if not await set_within(lost, WATCH_SECONDS) and not await self.consuming():
                return

    def _new_broker(self, lost: asyncio.Event) -> RabbitBroker:
        settlement = Settlement(self._consumers.service, self._delays)
        broker = RabbitBroker(
            self._url,
            app_id=self._consumers.service,
            default_channel=Channel(prefetch_count=PREFETCH, on_return_raises=True),
            on_close=[lambda *_: lost.set()],
            middlewares=[middleware(settlement), _leaving(lost)],
            decoder=_body,
            apply_types=False,
            logger=None,
        )
        settlement.broker = broker
        for subscription in self._consumers.subscriptions:
            self._subscribe(broker, subscription)
        return broker

    def _queue_of(self, subscription: Subscription) -> RabbitQueue:
        if self._declares:
            return topology.queue(subscription.queue, subscription.key)
        return RabbitQueue(subscription.queue, declare=False)

    def _subscribe(self, broker: RabbitBroker, subscription: Subscription) -> None:
        queue = self._queue_of(subscription)
        queues.watch(subscription.queue)

        gatherings: dict[str, Gathering[Delivery, Exception | None]] = {}
        commit = partial(self._commit, subscription)

        @broker.subscriber(queue, topology.EVENTS, ack_policy=AckPolicy.MANUAL)
        async def receive(body: bytes) -> None:
            event = self._consumers.read(subscription, body)
            if event is None:
                return
            delivery = Delivery(event, tracing.here())
            if subscription.together:
                gathering = gatherings.setdefault(event.organization_id, Gathering(commit, apart=SECONDS_APART))
                failure = await gathering.join(delivery)
            else:
                (failure,) = await commit([delivery])
            if failure:
                raise failure

    async def _commit(self, subscription: Subscription, group: Sequence[Delivery]) -> list[Exception | None]:
        async with self._handling:
            with tracing.joint(f"commit {subscription.consumer}", [one.span for one in group]):
                return await self._consumers.commit_each(subscription, [one.event for one in group], self._database)


def _leaving(lost: asyncio.Event) -> type[BaseMiddleware[Any, Any]]:
    """Gives up a connection whose message the broker refuses, unless it only has no queue for it.

    RabbitMQ 3.10 refuses all that a channel sends to a queue whose leader was dead at the first message, until that
    node is back; a new channel finds the queue's new leader.
    """

    class Leaving(BaseMiddleware[Any, Any]):
        async def publish_scope(self, call_next: Any, cmd: Any) -> Any:
            try:
                return await call_next(cmd)
            except DeliveryError as error:
                if not isinstance(error, PublishError):
                    lost.set()
                raise

    return Leaving


async def _body(message: object) -> bytes:
    """The events are parsed in one step from bytes by pydantic, faster than through FastStream's own decoding."""
    body: bytes = getattr(message, "body")  # noqa: B009 - the message's type is generic here
    return body
