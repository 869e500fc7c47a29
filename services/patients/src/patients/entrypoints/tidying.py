"""What is done from time to time."""

import asyncio

from chassis.database import Database
from chassis.metrics import turned
from patients import handlers

PAUSE_SECONDS = 600


async def keep_tidy(database: Database) -> None:
    """Any number of replicas may do it beside each other."""
    while True:
        await handlers.tidy(database)
        turned("tidying", PAUSE_SECONDS)
        await asyncio.sleep(PAUSE_SECONDS)
