"""Work that goes on beside requests, for as long as the service lives."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from chassis.logs import describe
from chassis.metrics import LOOP_FAILURES, begun

log = structlog.get_logger()

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
"""Seconds."""


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for `event`, no longer than so many seconds; whether it is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # `wait_for` may swallow a cancellation that meets the event
            await event.wait()
    return event.is_set()


async def keep_doing(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` again whenever it ends or fails; the pause doubles while it keeps failing, and not when it ends."""
    pause, failures = SHORTEST_PAUSE, LOOP_FAILURES.labels(name)
    begun(name)
    while True:
        try:
            await work()
            pause = SHORTEST_PAUSE
        except Exception as error:  # whatever it was, the work must go on
            failures.inc()
            log.warning("background work failed", kind=name, **describe(error))
            _stop_if_cancelled()
            pause = min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)


def _stop_if_cancelled() -> None:
    """An error raised while work was being cancelled hides the cancellation; it holds all the same."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
