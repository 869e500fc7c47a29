"""What becomes of a message: acknowledged, tried again later, or laid aside as a dead letter; never dropped."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from aio_pika import IncomingMessage
from faststream import BaseMiddleware
from faststream.message import StreamMessage
from faststream.rabbit import RabbitBroker, RabbitExchange
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from chassis import dead_letters, topology, tracing
from chassis.logs import describe
from chassis.metrics import MESSAGE_SECONDS, MESSAGES
from chassis.outages import is_outage
from chassis.queues import at_hand
from contracts.events import RedriveSettled

log = structlog.get_logger()

Headers = dict[str, Any]

RETURNED = "returned"
RETURN_SECONDS = 1.0


class Settlement:
    """Acknowledges what was handled; sends what failed to a retry queue, or after the last attempt to the dead."""

    def __init__(self, service: str, delays: Sequence[int]) -> None:
        self._service = service
        self._delays = delays
        self.broker: RabbitBroker | None = None

    async def settle(self, call_next: Any, message: StreamMessage[IncomingMessage]) -> None:
        """Handle, then acknowledge: only after the effect is committed, or the message is safe in another queue."""
        structlog.contextvars.clear_contextvars()
        raw, started = message.raw_message, time.perf_counter()
        queue = raw.routing_key if raw.exchange == "" else f"{self._service}.{raw.routing_key}"
        assert queue is not None  # noqa: S101 - a delivered message has a routing key
        with at_hand(queue, raw.timestamp, redelivered=raw.redelivered):
            try:
                await call_next(message)
                await self._tell(dead_letters.settled(raw.headers, queue))
                outcome = "handled"
            except Exception as error:  # whatever it was, the message must not be lost
                tracing.current().fail(type(error).__name__)
                outcome = await self._keep_or_return(raw, queue, error)
            if outcome != RETURNED:
                await raw.ack()
        seconds = time.perf_counter() - started
        MESSAGES.labels(queue, outcome).inc()
        MESSAGE_SECONDS.labels(queue).observe(seconds)
        tracing.current().note(queue=queue, outcome=outcome)
        log.info("message", queue=queue, outcome=outcome, duration_ms=round(seconds * 1000, 1))

    async def _keep_or_return(self, raw: IncomingMessage, queue: str, error: Exception) -> str:
        """A message the broker does not take elsewhere goes back into its queue; that counts as a delivery."""
        try:
            return await self._keep(raw, queue, error)
        except Exception as failure:
            log.warning("message returned", queue=queue, **describe(failure))
            await asyncio.sleep(RETURN_SECONDS)
            await raw.nack(requeue=True)
            return RETURNED

    async def _keep(self, raw: IncomingMessage, queue: str, error: Exception) -> str:
        attempt = int(str(raw.headers.get(dead_letters.ATTEMPT, 0)))
        log.warning("message failed", queue=queue, attempt=attempt, **describe(error))
        if isinstance(error, ValidationError):
            return await self._bury(raw, queue, attempt, error)
        if is_outage(error):  # no fault of the message: the attempt does not count
            return await self._send_back(raw, queue, attempt, self._delays[min(1, len(self._delays) - 1)])
        if attempt < len(self._delays):
            return await self._send_back(raw, queue, attempt + 1, self._delays[attempt])
        return await self._bury(raw, queue, attempt, error)

    async def _send_back(self, raw: IncomingMessage, queue: str, attempt: int, delay: int) -> str:
        headers = dead_letters.of_retry(raw.headers, attempt)
        await self._publish(raw, topology.retry_exchange(delay), queue, headers)
        return "retried"

    async def _bury(self, raw: IncomingMessage, queue: str, attempt: int, error: Exception) -> str:
        """Who redrove it is told first: told twice they lose nothing, buried twice it would lie there twice."""
        reason = type(error).__name__
        await self._tell(dead_letters.settled(raw.headers, queue, reason))
        headers = dead_letters.of_burial(raw.headers, attempt + 1, reason)
        await self._publish(raw, topology.DEAD_LETTERS, topology.dead(queue), headers)
        return "dead"

    async def _publish(self, raw: IncomingMessage, exchange: RabbitExchange, key: str, headers: Headers) -> None:
        await self._confirmed(
            raw.body, key, exchange, raw.message_id, raw.content_type, headers | tracing.carried(raw.headers)
        )

    async def _tell(self, event: RedriveSettled | None) -> None:
        if event:
            key, body = event.routing_key(self._service), event.model_dump_json().encode()
            await self._confirmed(
                body, key, topology.EVENTS, str(event.event_id), "application/json", {**tracing.headers()}
            )

    async def _confirmed(
        self, body: bytes, key: str, exchange: RabbitExchange, message_id: Any, content_type: Any, headers: Headers
    ) -> None:
        """Raises when the broker does not confirm."""
        assert self.broker is not None  # noqa: S101 - a message came, so there is a broker
        await self.broker.publish(
            body,
            key,
            exchange,
            headers=headers,
            message_id=message_id,
            content_type=content_type,
            persist=True,
            mandatory=True,
            timestamp=datetime.now(UTC),
            timeout=10,
        )


def middleware(settlement: Settlement) -> type[BaseMiddleware[Any, Any]]:
    """FastStream's hook around a handler."""

    class Settling(BaseMiddleware[Any, Any]):
        async def consume_scope(self, call_next: Any, msg: StreamMessage[Any]) -> None:
            came_with = msg.raw_message.headers.get(tracing.HEADER)
            with tracing.goes_on(f"handle {msg.raw_message.routing_key}", SpanKind.CONSUMER, came_with):
                await settlement.settle(call_next, msg)

    return Settling
