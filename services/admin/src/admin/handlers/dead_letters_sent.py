"""Dead letters are sent on their way again, or dropped: on record before it is done."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from admin.adapters.chain import Chain
from admin.adapters.dead_letter_queue import DeadQueue, Held
from admin.adapters.dead_letter_redrives import Redrives
from admin.adapters.dead_letters import DeadLetters
from admin.domain import testimony
from admin.domain.audit import Details, Entry, Kind
from admin.domain.dead_letters import QUEUES, Choice, DeadLetter, Dropped, DropReason, Outcome, Redriven
from admin.handlers.dead_letters import DEPTH, Opening, known_queue
from chassis.database import Database
from chassis.errors import Conflict
from chassis.identity import Caller


class Redriving:
    """One request's work on the queues, one after another."""

    def __init__(self, choice: Choice, database: Database, caller: Caller, now: datetime) -> None:
        self.redrive_id = uuid4()
        self.outcomes: list[Outcome] = []
        self.more = False
        self._choice, self._database, self._caller, self._now = choice, database, caller, now

    async def empty(self, queue: str, dead_letters: DeadLetters) -> None:
        """Send what is meant of this queue, as far as the limit of the request allows."""
        async with dead_letters.held(queue) as held:
            found = await _hold(held, self._choice, self._choice.limit - len(self.outcomes))
            if found:
                await self._send(found, held)
            refused = any(outcome.sent == "refused" for outcome in self.outcomes if outcome.queue == queue)
            self.more = self.more or (not refused and held.fetched < held.letters)

    async def _send(self, found: Sequence[Held], held: DeadQueue) -> None:
        keys = {uuid4(): one for one in found}
        organization_id, letters = self._caller.organization_id, {key: one.letter for key, one in keys.items()}
        async with self._database.transaction(organization_id) as connection:
            await Redrives(connection).remember(self.redrive_id, letters)
        details = {"redrive_id": str(self.redrive_id)}
        await _put_on_record("letter.redriven", [*letters.values()], details, self._database, self._caller, self._now)
        sending = (held.redrive(one, organization_id, str(key)) for key, one in keys.items())
        refusals = dict(zip(keys, await asyncio.gather(*sending), strict=True))
        async with self._database.transaction(organization_id) as connection:
            await Redrives(connection).sent(refusals)
        self.outcomes += [_outcome(letters[key], why) for key, why in refusals.items()]


async def redrive(choice: Choice, opening: Opening, database: Database, caller: Caller, now: datetime) -> Redriven:
    """Send dead letters to their own queues, as if they had never failed. Consumers know what they have applied.

    Raises NotFound for an unknown queue, Conflict for a letter too deep in its queue to be found.
    """
    if choice.queue:
        known_queue(choice.queue)
    work = Redriving(choice, database, caller, now)
    async with opening as dead_letters:
        for queue in [choice.queue] if choice.queue else QUEUES:
            if not await dead_letters.count(queue):
                continue
            if len(work.outcomes) >= choice.limit:
                work.more = True
                break
            await work.empty(queue, dead_letters)
    _require_found(work.outcomes, choice, more=work.more)
    if choice.letter_id and not work.outcomes:
        work.outcomes.append(Outcome(choice.letter_id, choice.queue or "", "gone"))
    return Redriven(work.redrive_id, work.outcomes, work.more and not choice.letter_id)


async def drop(
    queue: str, choice: Choice, reason: DropReason, opening: Opening, database: Database, caller: Caller, now: datetime
) -> Dropped:
    """Remove dead letters for good. Raises NotFound for an unknown queue, Conflict as `redrive` does."""
    known_queue(queue)
    async with opening as dead_letters, dead_letters.held(queue) as held:
        found = await _hold(held, choice, choice.limit)
        letters = [one.letter for one in found]
        if letters:
            await _put_on_record("letter.dropped", letters, {"reason": reason}, database, caller, now)
        for one in found:
            await held.drop(one)
    more = held.fetched < held.letters
    _require_found(letters, choice, more=more)
    return Dropped(queue, [letter.letter_id for letter in letters], more and not choice.letter_id)


async def _hold(held: DeadQueue, choice: Choice, most: int) -> list[Held]:
    """All copies of a letter that is named, else the next ones."""
    if not choice.letter_id:
        return await held.hold(most, DEPTH, choice.includes)
    return await held.hold(DEPTH, DEPTH, choice.includes)


def _require_found(found: object, choice: Choice, *, more: bool) -> None:
    if choice.letter_id and more and not found:
        raise Conflict(f"It is not among the oldest {DEPTH} of its queue: redrive or drop those first.")


async def _put_on_record(
    kind: Kind, letters: Sequence[DeadLetter], details: Details, database: Database, caller: Caller, now: datetime
) -> None:
    """Each in the chain of the organization it is of, if it tells; how many there were, in the operators' own."""
    chains: dict[str, list[Entry]] = defaultdict(list)
    for letter in letters:
        entry = testimony.of_letter(kind, letter, details, caller, now)
        chains[letter.organization_id or caller.organization_id].append(entry)
    total = testimony.of_letters(kind, letters, details, caller, now)
    chains[caller.organization_id].append(total)
    for organization_id, entries in chains.items():
        async with database.transaction(organization_id) as connection:
            await Chain(connection, organization_id).append(entries)


def _outcome(letter: DeadLetter, why: str | None) -> Outcome:
    return Outcome(letter.letter_id, letter.queue, "refused" if why else "redriven", why)
