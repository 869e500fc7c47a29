"""One dead-letter queue in an operator's hands."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage, AbstractQueue, HeadersType
from aio_pika.exceptions import DeliveryError, PublishError

from admin.adapters.dead_letter_reading import deliveries, read, retold
from admin.domain.dead_letters import DeadLetter
from chassis.dead_letters import of_redrive
from chassis.topology import dead

CONFIRM_SECONDS = 10.0
WORN = 10
"""Looks after which a letter is laid down anew: RabbitMQ 4 drops what has come back twenty times."""


@dataclass(frozen=True, slots=True)
class Held:
    """A letter that nobody else can get at, until it is settled or the queue is left."""

    letter: DeadLetter
    message: AbstractIncomingMessage


class DeadQueue:
    """One queue's dead letters, fetched and not given back yet."""

    def __init__(self, fetching: AbstractQueue, publishing: AbstractExchange, name: str, letters: int) -> None:
        self.name = name
        self.letters = letters
        """How many there were on coming."""
        self.fetched = 0
        self.settled = 0
        self._fetching = fetching
        self._publishing = publishing

    async def look(self, most: int) -> list[DeadLetter]:
        """The next letters, no more than `most`; only what is said of them is kept in memory."""
        return [held.letter async for held in self._fetch(most, lambda _: False)]

    async def hold(self, most: int, depth: int, wanted: Callable[[DeadLetter], bool]) -> list[Held]:
        """The next `most` letters that are wanted, among no more than `depth`."""
        found: list[Held] = []
        async for held in self._fetch(depth, wanted):
            if wanted(held.letter):
                found.append(held)
            if len(found) == most:
                break
        return found

    async def redrive(self, held: Held, organization_id: str, letter_id: str) -> str | None:
        """Send it to its own queue, then take it off this one. Why the broker refused it, if it did."""
        try:
            await self._publish(held, self.name, of_redrive(organization_id, letter_id))
        except PublishError:
            return "its queue does not exist"
        except DeliveryError:
            return "its queue does not take it"
        await self.drop(held)
        return None

    async def drop(self, held: Held) -> None:
        """Take it off."""
        await held.message.ack()
        self.settled += 1

    async def _fetch(self, most: int, kept: Callable[[DeadLetter], bool]) -> AsyncIterator[Held]:
        """No more than there were on coming: what is laid down anew would come round again."""
        for _ in range(min(most, self.letters - self.fetched)):
            message = await self._fetching.get(fail=False)
            if message is None:
                return
            self.fetched += 1
            held = Held(read(message, self.name), message)
            if deliveries(message) >= WORN and not kept(held.letter):
                await self._renew(held)
            yield held

    async def _renew(self, held: Held) -> None:
        await self._publish(held, dead(self.name), retold(held.letter, held.message))
        await self.drop(held)

    async def _publish(self, held: Held, key: str, headers: HeadersType) -> None:
        """Raises when the broker does not confirm."""
        message = aio_pika.Message(
            held.message.body,
            headers=headers,
            message_id=held.message.message_id,
            content_type=held.message.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._publishing.publish(message, key, mandatory=True, timeout=CONFIRM_SECONDS)
