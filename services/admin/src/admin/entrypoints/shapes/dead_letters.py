"""What operators are told of dead letters."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from admin.domain.dead_letters import (
    DeadLetter,
    Dropped,
    End,
    Page,
    QueueOfDead,
    Redriven,
    RedrivenLetter,
    SentOn,
)
from admin.entrypoints.shapes import dead_letters_examples as examples
from contracts.timestamps import Moment


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]}, from_attributes=True)


class DeadLetterQueue(BaseModel):
    """A queue with dead letters; `queue` is the one they were given up in."""

    queue: str
    letters: int
    oldest_at: Moment | None
    oldest_age_seconds: float | None


class DeadLetterSurvey(BaseModel):
    """All queues that hold any."""

    model_config = _with(examples.SURVEY)

    queues: list[DeadLetterQueue]
    total: int
    timestamp: Moment

    @classmethod
    def of(cls, found: Sequence[QueueOfDead], now: datetime) -> Self:
        """Their ages as of now."""
        queues = [
            DeadLetterQueue(
                queue=one.queue,
                letters=one.letters,
                oldest_at=one.oldest_at,
                oldest_age_seconds=one.oldest_at and round((now - one.oldest_at).total_seconds(), 1),
            )
            for one in found
        ]
        return cls(queues=queues, total=sum(one.letters for one in found), timestamp=now)


class DeadLetterListed(BaseModel):
    """A message that was given up; what it does not tell is null."""

    model_config = ConfigDict(from_attributes=True)

    letter_id: UUID
    queue: str
    event: str | None
    organization_id: str | None
    reason: str
    attempts: int | None
    first_failed_at: Moment | None
    last_failed_at: Moment | None
    size: int


class DeadLetterPage(BaseModel):
    """A page of a queue's; `not_looked_at` lie behind them and come in sight as the others go."""

    model_config = _with(examples.PAGE)

    queue: str
    letters: list[DeadLetterListed]
    total: int
    not_looked_at: int
    next_cursor: str | None
    timestamp: Moment

    @classmethod
    def of(cls, page: Page, now: datetime) -> Self:
        """The page as of now."""
        return cls(
            queue=page.queue,
            letters=[DeadLetterListed.model_validate(letter) for letter in page.letters],
            total=page.total,
            not_looked_at=page.not_looked_at,
            next_cursor=page.next_cursor,
            timestamp=now,
        )


class DeadLetterShown(DeadLetterListed):
    """All that may be said of one."""

    model_config = _with(examples.SHOWN)

    ids: dict[str, str]
    headers: dict[str, str | int]

    @classmethod
    def shown(cls, letter: DeadLetter) -> Self:
        """Of this one."""
        return cls.model_validate(letter)


class RedriveOutcome(BaseModel):
    """What became of one at once: `gone` was not there any more, `refused` is where it was, and why."""

    model_config = ConfigDict(from_attributes=True)

    letter_id: UUID
    queue: str
    sent: SentOn
    why: str | None


class RedriveAnswer(BaseModel):
    """Ask `/redrives/{redrive_id}` what became of them afterwards."""

    model_config = _with(examples.REDRIVE)

    redrive_id: UUID
    letters: list[RedriveOutcome]
    more: bool
    timestamp: Moment

    @classmethod
    def of(cls, redriven: Redriven, now: datetime) -> Self:
        """As of now."""
        letters = [RedriveOutcome.model_validate(outcome) for outcome in redriven.outcomes]
        return cls(redrive_id=redriven.redrive_id, letters=letters, more=redriven.more, timestamp=now)


class RedrivenState(BaseModel):
    """How a redriven letter stands: `dead` is among the dead again, `sending` was cut off and may be redriven again."""

    model_config = ConfigDict(from_attributes=True)

    letter_id: UUID
    queue: str
    state: End
    reason: str | None
    redriven_at: Moment
    settled_at: Moment | None


class RedriveProgress(BaseModel):
    """Each letter of a redrive, and how many stand how."""

    model_config = _with(examples.PROGRESS)

    redrive_id: UUID
    letters: list[RedrivenState]
    counts: dict[str, int]
    timestamp: Moment

    @classmethod
    def of(cls, redrive_id: UUID, letters: Sequence[RedrivenLetter], now: datetime) -> Self:
        """As of now."""
        states = [RedrivenState.model_validate(letter) for letter in letters]
        counts = dict(Counter(letter.state for letter in letters))
        return cls(redrive_id=redrive_id, letters=states, counts=counts, timestamp=now)


class DropAnswer(BaseModel):
    """The ids of those that went; one that is not among them was gone already."""

    model_config = _with(examples.DROP)

    queue: str
    dropped: list[UUID]
    more: bool
    timestamp: Moment

    @classmethod
    def of(cls, dropped: Dropped, now: datetime) -> Self:
        """As of now."""
        return cls(queue=dropped.queue, dropped=list(dropped.letter_ids), more=dropped.more, timestamp=now)
