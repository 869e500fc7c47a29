"""Messages that a service has given up, as operators see them: ids, counts, moments and reasons, never content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.routes import ROUTES, Route

SentOn = Literal["redriven", "gone", "refused"]
"""What a redrive made of a letter: `gone` was no longer among the dead, `refused` still is."""
End = Literal["sending", "waiting", "applied", "dead", "refused"]
"""How a redriven letter stands. One that stays `sending` was cut off: whether it went is not known, again is safe."""
DropReason = Literal["unreadable", "obsolete", "duplicate", "erasure"]
"""Of a list, for what an operator writes might name a patient."""

QUEUES: Mapping[str, Route] = {route.queue(consumer): route for route in ROUTES for consumer in route.consumers}
"""Every queue that has dead letters, and what arrives in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message in a dead-letter queue. What it does not tell, or tells in words we do not know, is None."""

    letter_id: UUID
    """Its event's, or made of the whole message when it has none."""
    queue: str
    """Its own, in which it was given up."""
    event: str | None
    organization_id: str | None
    reason: str
    """The kind of error, or the broker's word for why it took it away."""
    attempts: int | None
    first_failed_at: datetime | None
    last_failed_at: datetime | None
    size: int
    """Of its body, in bytes."""
    headers: Mapping[str, str | int] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    """Those its body names: of the event, the request and the sync."""
    redriven_as: UUID | None = None
    """It was sent on its way before under this id, and is dead again."""

    @property
    def place(self) -> str:
        """Where it stands in a list: by the moment it was given up, those that do not tell it first."""
        moment = self.last_failed_at.timestamp() if self.last_failed_at else 0.0
        return f"{moment:017.6f}_{self.letter_id}"


@dataclass(frozen=True, slots=True)
class QueueOfDead:
    """How many lie there, and since when the one that lies there longest."""

    queue: str
    letters: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a queue's letters, those first that were given up first."""

    queue: str
    letters: Sequence[DeadLetter]
    total: int
    not_looked_at: int
    """Lie behind those that one request looks at: they come in sight as the others go."""
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which dead letters something is done to, no more than `limit` of them."""

    queue: str | None
    """None: of every queue."""
    letter_id: UUID | None
    limit: int
    before: datetime
    """Those given up later stay, so that who goes on until nothing is left does not meet the same ones again."""

    def includes(self, letter: DeadLetter) -> bool:
        """Whether the letter is meant."""
        if self.letter_id:
            return letter.letter_id == self.letter_id
        return letter.last_failed_at is None or letter.last_failed_at <= self.before


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter of a redrive, at once."""

    letter_id: UUID
    queue: str
    sent: SentOn
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of each, and whether there are more that were meant."""

    redrive_id: UUID
    outcomes: Sequence[Outcome]
    more: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """Which went, from which queue, and whether there are more that were meant."""

    queue: str
    letter_ids: Sequence[UUID]
    more: bool


@dataclass(frozen=True, slots=True)
class RedrivenLetter:
    """A letter of a redrive, as it stands by now."""

    letter_id: UUID
    queue: str
    state: End
    reason: str | None
    redriven_at: datetime
    settled_at: datetime | None
