"""What was redriven, and what became of it, for as long as somebody may ask."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from admin.domain.dead_letters import DeadLetter, RedrivenLetter
from contracts.events import RedriveSettled

KEPT_DAYS = 90

_FORGET = text("DELETE FROM redriven_letters WHERE redriven_at < now() - make_interval(days => :days)")
_REMEMBER = text("""
    INSERT INTO redriven_letters (organization_id, id, redrive_id, letter_id, queue)
    VALUES (current_setting('routiq.organization_id'), :id, :redrive_id, :letter_id, :queue)
""")
_SENT = text("""
    UPDATE redriven_letters SET state = CASE WHEN why IS NULL THEN 'waiting' ELSE 'refused' END, reason = why
    FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[])) AS sent (sent_id, why)
    WHERE id = sent_id AND state = 'sending'
""")
_SETTLE = text("""
    UPDATE redriven_letters SET state = :outcome, reason = :reason, settled_at = :occurred_at
    WHERE id = :letter_id AND state <> 'applied'
""")
_DEAD_AGAIN = text("""
    UPDATE redriven_letters SET state = 'dead', reason = why, settled_at = now()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[])) AS found (found_id, why)
    WHERE id = found_id AND state IN ('sending', 'waiting')
""")
_OF = text("""
    SELECT letter_id, queue, state, reason, redriven_at, settled_at FROM redriven_letters
    WHERE redrive_id = :redrive_id ORDER BY queue, letter_id, id
""")


class Redrives:
    """The operators', in a transaction of their organization."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def remember(self, redrive_id: UUID, letters: Mapping[UUID, DeadLetter]) -> None:
        """That these are about to be sent, by the ids under which they are told the end of."""
        await self._connection.execute(_FORGET, {"days": KEPT_DAYS})
        rows = [
            {"id": key, "redrive_id": redrive_id, "letter_id": letter.letter_id, "queue": letter.queue}
            for key, letter in letters.items()
        ]
        await self._connection.execute(_REMEMBER, rows)

    async def sent(self, refusals: Mapping[UUID, str | None]) -> None:
        """That they were sent, or why the broker refused them; some may have come to their end already."""
        await self._connection.execute(_SENT, {"ids": list(refusals), "reasons": list(refusals.values())})

    async def settle(self, event: RedriveSettled) -> None:
        """What became of one, unless it is known to be applied: it cannot be undone."""
        await self._connection.execute(_SETTLE, event.model_dump())

    async def dead_again(self, reasons: Mapping[UUID, str]) -> None:
        """These were met among the dead, though nobody said so: the broker itself took them away."""
        await self._connection.execute(_DEAD_AGAIN, {"ids": list(reasons), "reasons": list(reasons.values())})

    async def of(self, redrive_id: UUID) -> Sequence[RedrivenLetter]:
        """Each letter of a redrive, as it stands."""
        rows = await self._connection.execute(_OF, {"redrive_id": redrive_id})
        return [RedrivenLetter(*row) for row in rows]
