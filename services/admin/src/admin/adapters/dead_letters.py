"""The dead-letter queues at the broker, opened for one operator at a time.

AMQP has no look into a queue: messages are fetched, and the channel is closed without settling them. They come back in
their order, at the head of the queue. Who came meanwhile would find the queue empty, so nobody may.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity
from aiormq.exceptions import ChannelInvalidStateError, ChannelLockedResource

from admin.adapters.dead_letter_queue import DeadQueue
from chassis.errors import Conflict, Unavailable
from chassis.topology import dead

log = structlog.get_logger()

ALONE = "admin.dead-letters.operator"
"""A queue of the one connection that is at work; it goes with it, as what that connection held comes back."""
CONNECT_SECONDS, TURN_SECONDS, BACK_SECONDS, AGAIN_SECONDS = 5.0, 20.0, 10.0, 0.05


class DeadLetters:
    """Of every queue, for one request."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncIterator["DeadLetters"]:
        """Raises Unavailable when the broker is away or goes away, Conflict when another operator is not done soon."""
        try:
            connection = await aio_pika.connect(url, timeout=CONNECT_SECONDS)
        except (AMQPError, OSError):
            raise Unavailable("The broker cannot be reached. Please try again in a moment.") from None
        try:
            async with connection:
                await _wait_for_turn(connection)
                yield cls(connection)
        except (AMQPError, ChannelInvalidStateError, ConnectionError, TimeoutError):
            raise Unavailable("The connection was lost. What is not settled is still among the dead letters.") from None

    async def count(self, queue: str) -> int:
        """How many lie there; none where there is no such queue yet."""
        channel = await self._connection.channel()
        try:
            declared = await channel.declare_queue(dead(queue), passive=True)
        except ChannelNotFoundEntity:
            return 0
        await channel.close()
        return declared.declaration_result.message_count or 0

    @asynccontextmanager
    async def held(self, queue: str) -> AsyncIterator[DeadQueue]:
        """A queue's letters; what is not settled at the end is in its place again."""
        letters = await self.count(queue)
        fetching = await self._connection.channel()
        publishing = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        fetched = await fetching.get_queue(dead(queue), ensure=False)
        held = DeadQueue(fetched, publishing.default_exchange, queue, letters)
        try:
            yield held
        finally:
            await publishing.close()
            await fetching.close()
        await self._until_back(queue, letters - held.settled)

    async def _until_back(self, queue: str, letters: int) -> None:
        """RabbitMQ puts them back a moment after it has agreed to the end of the channel."""
        for _ in range(round(BACK_SECONDS / AGAIN_SECONDS)):
            if await self.count(queue) >= letters:
                return
            await asyncio.sleep(AGAIN_SECONDS)
        log.warning("dead letters did not come back", queue=dead(queue), missing=letters - await self.count(queue))


async def _wait_for_turn(connection: AbstractConnection) -> None:
    deadline = _now() + TURN_SECONDS
    while True:
        channel = await connection.channel()
        try:
            await channel.declare_queue(ALONE, exclusive=True)
        except ChannelLockedResource:
            if _now() > deadline:
                raise Conflict("Another operator is at work among the dead letters. Please try again.") from None
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


def _now() -> float:
    return asyncio.get_running_loop().time()
