"""A run's progress as server-sent events, from the table, so from any replica.

Every event is the whole progress, its id names the state it shows: who comes back with `Last-Event-ID` misses nothing
but what has been overtaken, and is not told twice. The table is looked at instead of listened to: a database connection
is used for a moment, not for the life of the stream.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from chassis.errors import Unavailable
from chassis.identity import Identified
from sync import handlers
from sync.domain.run import Run
from sync.entrypoints import examples
from sync.entrypoints.shapes.runs import SyncProgress
from sync.entrypoints.transactions import transactions_of
from sync.handlers.runs import Progress

router = APIRouter(tags=["Sync"])

LOOK_SECONDS, HEARTBEAT_SECONDS, RETURN_MILLISECONDS = 1.0, 10.0, 2000
LONGEST_SECONDS = 900.0
"""After which the client has to come back, with a token that is valid then."""
MOST_STREAMS = 64

EXAMPLE = {"schema": {"type": "string"}, "example": examples.PROGRESS_EVENT}

Look = Callable[[], Awaitable[Progress]]


class Streams:
    """The streams of this process; each costs a look at the database a second."""

    def __init__(self, most: int = MOST_STREAMS, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._most = most
        self._heartbeat_seconds = heartbeat_seconds
        self._open = 0

    def require_room(self) -> None:
        """Raises Unavailable when nobody more can be served."""
        if self._open >= self._most:
            raise Unavailable("Too many streams are open. Ask for the progress itself, or try again shortly.")

    async def follow(self, look: Look, seen: str | None, goes_on: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Each new state of the run as an event, comments while there is none; `seen` is the last id already known."""
        self._open += 1
        until = time.monotonic() + LONGEST_SECONDS
        try:
            spoke = time.monotonic()
            while time.monotonic() < until and goes_on():
                progress = await look()
                if (state := state_id(progress.run)) != seen:
                    yield event(progress, state)
                    seen, spoke = state, time.monotonic()
                elif time.monotonic() - spoke >= self._heartbeat_seconds:
                    yield format_sse_event(comment="still there")
                    spoke = time.monotonic()
                if not progress.run.active:
                    return
                await asyncio.sleep(min(LOOK_SECONDS, self._heartbeat_seconds))
        finally:
            self._open -= 1


@router.get(
    "/sync/progress/{sync_id}/stream",
    response_class=StreamingResponse,
    responses={
        200: {"description": "Server-sent events.", "content": {"text/event-stream": EXAMPLE}},
        204: {"description": "The sync is over, and its end is known already: do not come back."},
    },
)
async def follow_progress(
    sync_id: str,
    caller: Identified,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """A run's progress as it changes: events named `progress`, the last one `end`."""
    state = request.app.state
    transactions = transactions_of(state.database)

    async def look() -> Progress:
        async with transactions(caller.organization_id) as store:
            return await handlers.report_progress(sync_id, store)

    run = (await look()).run
    if not run.active and last_event_id == state_id(run):
        return Response(status_code=204)
    state.streams.require_room()
    events = state.streams.follow(look, last_event_id, lambda: not getattr(state, "stopping", False))
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


def state_id(run: Run) -> str:
    """Names what an observer can see of a run: equal exactly when nothing but the estimate differs."""
    counts = (
        run.completed_steps,
        run.records_seen,
        run.records_rejected,
        run.records_confirmed,
        run.records_total or 0,
    )
    return f"{run.status}-{run.revision}-{'.'.join(map(str, counts))}"


def event(progress: Progress, state: str) -> bytes:
    """The progress on the wire."""
    return format_sse_event(
        data_str=SyncProgress.of(progress).model_dump_json(),
        event="progress" if progress.run.active else "end",
        id=state,
        retry=RETURN_MILLISECONDS,
    )
