"""`/api/v1/admin/dead-letters`: messages that services have given up, for the platform's operators."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request

from admin import handlers
from admin.adapters.dead_letters import DeadLetters
from admin.domain.dead_letters import Choice, DropReason
from admin.entrypoints.shapes.dead_letters import (
    DeadLetterPage,
    DeadLetterShown,
    DeadLetterSurvey,
    DropAnswer,
    RedriveAnswer,
    RedriveProgress,
)
from chassis.database import Database
from chassis.identity import Operator, operator
from contracts.base import Instant

router = APIRouter(prefix="/api/v1/admin/dead-letters", tags=["Administration"], dependencies=[Depends(operator)])

Queue = Annotated[str, Path(pattern=r"^[a-z0-9.-]{1,128}$", examples=["patients.sync.patients.synced.v1"])]
LetterId = Annotated[UUID, Path()]
Limit = Annotated[int, Query(ge=1, le=500, description="No more at once; `more` tells whether to ask again.")]
OneLetter = Annotated[UUID | None, Query(description="Only this one.")]
Before = Annotated[Instant | None, Query(description="What was given up later stays. By default: now.")]


async def connected(request: Request) -> handlers.Opening:
    """The way to the dead letters, not gone yet."""
    return DeadLetters.opened(request.app.state.amqp_url)


async def database_of(request: Request) -> Database:
    """The service's own."""
    database: Database = request.app.state.database
    return database


Opening = Annotated[handlers.Opening, Depends(connected)]
Data = Annotated[Database, Depends(database_of)]


@router.get("")
async def dead_letters(opening: Opening) -> DeadLetterSurvey:
    """The queues in which messages lie that a service has given up."""
    return DeadLetterSurvey.of(await handlers.survey(opening), datetime.now(UTC))


@router.get("/redrives/{redrive_id}")
async def dead_letter_redrive(redrive_id: UUID, data: Data, caller: Operator) -> RedriveProgress:
    """What became of what was redriven: applied, dead again, or on its way still."""
    return RedriveProgress.of(redrive_id, await handlers.follow(redrive_id, data, caller), datetime.now(UTC))


@router.post("/redrive")
async def redrive_dead_letters(
    opening: Opening,
    data: Data,
    caller: Operator,
    queue: Annotated[str | None, Query(description="Only of this queue; by default of all.")] = None,
    letter_id: OneLetter = None,
    limit: Limit = 100,
    before: Before = None,
) -> RedriveAnswer:
    """Send messages to their own queues again, as if they had never failed. It may be repeated safely."""
    now = datetime.now(UTC)
    choice = Choice(queue=queue, letter_id=letter_id, limit=limit, before=before or now)
    return RedriveAnswer.of(await handlers.redrive(choice, opening, data, caller, now), now)


@router.get("/{queue}")
async def dead_letters_of_queue(
    queue: Queue,
    opening: Opening,
    data: Data,
    caller: Operator,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(pattern=r"^[0-9.]{1,20}_[0-9a-f-]{36}$", description="`next_cursor` of the page before.")
    ] = None,
) -> DeadLetterPage:
    """What lies there, those first that were given up first; ids and reasons, never what the messages say."""
    page = await handlers.look_into(queue, limit, cursor, opening, data, caller)
    return DeadLetterPage.of(page, datetime.now(UTC))


@router.get("/{queue}/{letter_id}")
async def dead_letter(queue: Queue, letter_id: LetterId, opening: Opening) -> DeadLetterShown:
    """One message: its ids and headers as far as they are known to be harmless, never its body."""
    return DeadLetterShown.shown(await handlers.find(queue, letter_id, opening))


@router.post("/{queue}/drop")
async def drop_dead_letters(
    queue: Queue,
    opening: Opening,
    data: Data,
    caller: Operator,
    reason: Annotated[DropReason, Query(description="Why what they say is not needed.")],
    letter_id: OneLetter = None,
    limit: Limit = 100,
    before: Before = None,
) -> DropAnswer:
    """Remove messages for good."""
    now = datetime.now(UTC)
    choice = Choice(queue=queue, letter_id=letter_id, limit=limit, before=before or now)
    return DropAnswer.of(await handlers.drop(queue, choice, reason, opening, data, caller, now), now)
