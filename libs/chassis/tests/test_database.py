import asyncio
import threading
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text

from chassis import database
from chassis.database import Database, Notifications

PID = text("SELECT pg_backend_pid()")


async def ends(url: str) -> None:
    """Every other connection of this role ends, as they do when PostgreSQL restarts."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    await asyncio.sleep(0.2)  # until the processes have gone; a restart takes longer
    await connection.close()


async def pids(opened: Database, number: int) -> set[object]:
    """Of the servers' processes behind so many connections at once."""
    async with asyncio.TaskGroup() as group:
        together = asyncio.Barrier(number)

        async def one() -> object:
            async with opened.transaction() as connection:
                await together.wait()
                return await connection.scalar(PID)

        tasks = [group.create_task(one()) for _ in range(number)]
    return {task.result() for task in tasks}


async def test_a_restart_of_postgresql_between_two_requests_is_not_seen_by_the_second(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    url = await new_database("patients")
    opened = Database(url, "patients")
    before = await pids(opened, 3)
    assert await pids(opened, 3) == before
    await ends(url)
    assert not before & await pids(opened, 3)
    await opened.close()


async def test_a_connection_that_died_unnoticed_while_idle_is_replaced(
    new_database: Callable[[str], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRUSTED_SECONDS", 0)
    url = await new_database("patients")
    opened = Database(url, "patients")
    before = await pids(opened, 3)
    restart = threading.Thread(target=lambda: asyncio.run(ends(url)))
    restart.start()
    restart.join()  # nothing else happens here meanwhile: this loop has not heard of it
    assert not before & await pids(opened, 3)
    await opened.close()


async def test_whoever_waits_for_a_notification_can_be_cancelled_as_it_comes() -> None:
    notifications = Notifications()

    async def listen() -> None:
        while True:
            await notifications.wait(60)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.01)
    notifications.heard.set()
    listening.cancel()
    done, _ = await asyncio.wait([listening], timeout=1)
    listening.cancel()
    assert done
