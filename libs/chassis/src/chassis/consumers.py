"""What a service does with the events it receives: one transaction a message, once per event."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from chassis.inbox import first_delivery
from chassis.outbox import announce
from contracts.base import Event
from contracts.events import Batch, BatchApplied
from contracts.routes import ROUTES, Route

E = TypeVar("E", bound=Event)
Handler = Callable[[E, AsyncConnection], Awaitable[None]]


@dataclass(frozen=True)
class Subscription:
    """One queue and the handler of what arrives in it."""

    queue: str
    key: str
    event: type[Event]
    handler: Handler[Any]


class Consumers:
    """The handlers of one service, found through the map of routes."""

    def __init__(self, service: str, routes: Sequence[Route] = ROUTES) -> None:
        self.service = service
        self.subscriptions: list[Subscription] = []
        self._routes = routes
        self._confirms = any(route.event is BatchApplied and route.producer == service for route in routes)

    def on(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Register the handler of `event`, from every producer the map names."""

        def register(handler: Handler[E]) -> Handler[E]:
            self.subscriptions += [
                Subscription(route.queue(self.service), route.key, event, handler)
                for route in self._routes
                if route.event is event and self.service in route.consumers
            ]
            return handler

        return register

    async def handle(self, subscription: Subscription, body: bytes, database: Database) -> None:
        """Commit the handler's effect, its inbox row and, for a batch of a run, its receipt together.

        Raises ValidationError for a body that is not this event, and what the handler or the database raises.
        """
        event = subscription.event.model_validate_json(body)
        structlog.contextvars.bind_contextvars(
            organization_id=event.organization_id, request_id=event.request_id, event_id=str(event.event_id)
        )
        if isinstance(event, Batch) and event.addressed_to not in (None, self.service):
            return
        consumer = subscription.handler.__name__
        async with database.transaction() as connection:
            if await first_delivery(connection, consumer, event.event_id, event.organization_id):
                await subscription.handler(event, connection)
                if self._confirms and isinstance(event, Batch) and event.sync_id is not None:
                    await announce(connection, self.service, [_receipt(event, event.sync_id, self.service)])


def _receipt(batch: Batch, sync_id: str, consumer: str) -> BatchApplied:
    return BatchApplied(
        organization_id=batch.organization_id,
        request_id=batch.request_id,
        consumer=consumer,
        batch_id=batch.event_id,
        sync_id=sync_id,
    )
