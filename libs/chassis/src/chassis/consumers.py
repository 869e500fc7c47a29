"""What a service does with the events it receives: each once, its effect and its receipt in one transaction."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from chassis.inbox import first_deliveries
from chassis.logs import describe
from chassis.outages import is_outage
from chassis.outbox import announce
from chassis.undone import standing
from contracts.base import Event
from contracts.events import Batch, BatchApplied
from contracts.routes import ROUTES, Route

log = structlog.get_logger()

SYNC = "sync."
"""So begin the keys of what the sync service announces."""

E = TypeVar("E", bound=Event)
Handler = Callable[[E, AsyncConnection], Awaitable[None]]
HandlerOfAll = Callable[[Sequence[E], AsyncConnection], Awaitable[None]]


@dataclass(frozen=True)
class Subscription:
    """One queue and the handler of what arrives in it."""

    queue: str
    key: str
    event: type[Event]
    consumer: str
    """The handler's name, under which the inbox remembers what it has handled."""
    handler: HandlerOfAll[Any]
    together: bool
    """Whether it takes several events of one organization at once."""


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
            async def one_by_one(events: Sequence[E], connection: AsyncConnection) -> None:
                for one in events:
                    await handler(one, connection)

            self._subscribe(event, handler.__name__, one_by_one, together=False)
            return handler

        return register

    def on_all(self, event: type[E]) -> Callable[[HandlerOfAll[E]], HandlerOfAll[E]]:
        """Register a handler that is given every `event` of an organization that waits, in any order."""

        def register(handler: HandlerOfAll[E]) -> HandlerOfAll[E]:
            self._subscribe(event, handler.__name__, handler, together=True)
            return handler

        return register

    def _subscribe(self, event: type[E], consumer: str, handler: HandlerOfAll[E], *, together: bool) -> None:
        self.subscriptions += [
            Subscription(route.queue(self.service), route.key, event, consumer, handler, together)
            for route in self._routes
            if route.event is event and self.service in route.consumers
        ]

    def read(self, subscription: Subscription, body: bytes) -> Event | None:
        """The event, unless it is addressed to others. Raises ValidationError for a body that is not this event."""
        event = subscription.event.model_validate_json(body)
        structlog.contextvars.bind_contextvars(
            organization_id=event.organization_id, request_id=event.request_id, event_id=str(event.event_id)
        )
        if isinstance(event, Batch) and event.addressed_to not in (None, self.service):
            return None
        return event

    async def handle(self, subscription: Subscription, body: bytes, database: Database) -> None:
        """What a single message says. Raises ValidationError, and what the handler or the database raises."""
        if event := self.read(subscription, body):
            await self.commit(subscription, [event], database)

    async def commit(self, subscription: Subscription, events: Sequence[Event], database: Database) -> None:
        """One organization's events: the effect, the inbox and, for batches of a run, the receipts commit together."""
        ids, organization_id = [event.event_id for event in events], events[0].organization_id
        async with database.transaction() as connection:
            fresh = await first_deliveries(connection, subscription.consumer, ids, organization_id)
            new = list({event.event_id: event for event in events if event.event_id in fresh}.values())
            if new and self._confirms and subscription.key.startswith(SYNC):
                new = await standing(connection, new)
            if not new:
                return
            await subscription.handler(new, connection)
            if receipts := self._receipts(new):
                await announce(connection, self.service, receipts)

    async def commit_each(
        self, subscription: Subscription, events: Sequence[Event], database: Database
    ) -> list[Exception | None]:
        """Together if possible, so that one that fails fails alone. What each failed with."""
        try:
            await self.commit(subscription, events, database)
        except Exception as error:
            if len(events) == 1 or is_outage(error):
                return [error for _ in events]
            log.warning("messages handled one by one", count=len(events), **describe(error))
        else:
            return [None for _ in events]
        return [failure for event in events for failure in await self.commit_each(subscription, [event], database)]

    def _receipts(self, events: Sequence[Event]) -> list[BatchApplied]:
        """One for each run."""
        runs: dict[str, list[Batch]] = defaultdict(list)
        for event in events:
            if self._confirms and isinstance(event, Batch) and event.sync_id is not None:
                runs[event.sync_id].append(event)
        return [_receipt(batches, sync_id, self.service) for sync_id, batches in runs.items()]


def _receipt(batches: Sequence[Batch], sync_id: str, consumer: str) -> BatchApplied:
    first, *others = batches
    return BatchApplied(
        organization_id=first.organization_id,
        request_id=first.request_id,
        consumer=consumer,
        batch_id=first.event_id,
        sync_id=sync_id,
        also=tuple(batch.event_id for batch in others),
    )
