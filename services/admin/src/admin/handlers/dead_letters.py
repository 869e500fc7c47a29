"""Operators look into the dead letters, send them on their way again, or drop them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from admin.adapters.dead_letter_redrives import Redrives
from admin.adapters.dead_letters import DeadLetters
from admin.domain.dead_letters import QUEUES, DeadLetter, Page, QueueOfDead, RedrivenLetter
from chassis.database import Database
from chassis.errors import NotFound
from chassis.identity import Caller
from contracts.events import RedriveSettled

Opening = AbstractAsyncContextManager[DeadLetters]
DEPTH = 500
"""Letters of one queue that one request looks at: each comes over with its body, of up to some 100 KB."""


async def survey(opening: Opening) -> Sequence[QueueOfDead]:
    """The queues that hold any."""
    found = []
    async with opening as dead_letters:
        for queue in QUEUES:
            if await dead_letters.count(queue):
                async with dead_letters.held(queue) as held:
                    oldest = [letter.last_failed_at for letter in await held.look(1)]
                found.append(QueueOfDead(queue, held.letters, *oldest))
    return found


async def look_into(
    queue: str, limit: int, cursor: str | None, opening: Opening, database: Database, caller: Caller
) -> Page:
    """A page of a queue's letters. Raises NotFound for a queue that is not ours."""
    known_queue(queue)
    async with opening as dead_letters, dead_letters.held(queue) as held:
        seen = await held.look(DEPTH)
    await _note_the_dead(seen, database, caller)
    following = sorted((one for one in seen if one.place > (cursor or "")), key=lambda one: one.place)
    page = following[:limit]
    next_cursor = page[-1].place if len(following) > limit else None
    return Page(queue, page, held.letters, held.letters - held.fetched, next_cursor)


async def find(queue: str, letter_id: UUID, opening: Opening) -> DeadLetter:
    """Raises NotFound."""
    known_queue(queue)
    async with opening as dead_letters, dead_letters.held(queue) as held:
        found = await held.hold(1, DEPTH, lambda letter: letter.letter_id == letter_id)
    if not found:
        raise NotFound(f"This is not among the oldest {DEPTH} dead letters of the queue.")
    return found[0].letter


async def follow(redrive_id: UUID, database: Database, caller: Caller) -> Sequence[RedrivenLetter]:
    """What became of the letters of a redrive so far. Raises NotFound."""
    async with database.transaction(caller.organization_id) as connection:
        letters = await Redrives(connection).of(redrive_id)
    if not letters:
        raise NotFound("Nothing is known of this redrive.")
    return letters


async def settle_redrive(event: RedriveSettled, redrives: Redrives) -> None:
    """Keep what became of a letter that was sent on its way again."""
    await redrives.settle(event)


def known_queue(queue: str) -> None:
    """Raises NotFound for one that no event goes to."""
    if queue not in QUEUES:
        raise NotFound("There is no such queue.")


async def _note_the_dead(seen: Sequence[DeadLetter], database: Database, caller: Caller) -> None:
    again = {letter.redriven_as: letter.reason for letter in seen if letter.redriven_as}
    if again:
        async with database.transaction(caller.organization_id) as connection:
            await Redrives(connection).dead_again(again)
