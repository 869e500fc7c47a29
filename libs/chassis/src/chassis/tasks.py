"""Work that goes on beside requests, for as long as the service lives."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from chassis.logs import describe

log = structlog.get_logger()

LONGEST_PAUSE = 15.0


async def keep_doing(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` again whenever it ends or fails, pausing longer (seconds, doubling) while it keeps failing."""
    loop, pause = asyncio.get_running_loop(), 0.25
    while True:
        started = loop.time()
        try:
            await work()
        except Exception as error:  # whatever it was, the work must go on
            log.warning("background work failed", kind=name, **describe(error))
        pause = 0.25 if loop.time() - started > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)
