import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import Integer, Text, bindparam, func, literal, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis import database
from chassis.database import Database, Notifications, fetch
from chassis.outages import is_outage

PID = text("SELECT pg_backend_pid()")
TENANT = select(func.current_setting("routiq.organization_id", True))
WRITE = text("INSERT INTO outbox (event_id, routing_key, body) VALUES (gen_random_uuid(), 'a', '')")
WRITTEN = text("SELECT count(*) FROM outbox")


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


@pytest.fixture
async def opened(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Database]:
    """With room for two transactions at once."""
    opened = Database(await new_database("patients"), "patients", connections=2)
    yield opened
    await opened.close()


async def test_transactions_have_their_turns_in_the_order_they_came(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    alone, begun = Database(await new_database("patients"), "patients", connections=1), list[int]()

    async def one(number: int) -> None:
        async with alone.transaction() as connection:
            begun.append(number)
            await connection.execute(PID)

    async with asyncio.TaskGroup() as group:
        async with alone.transaction():
            for number in range(12):
                group.create_task(one(number))
                await asyncio.sleep(0)
            assert begun == []
        await one(12)  # comes as the turn becomes free, and passes nobody
    assert begun == list(range(13))
    await alone.close()


async def test_who_waits_too_long_for_a_turn_is_told_of_an_outage_and_takes_none(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    async with opened.transaction(), opened.transaction():
        with pytest.raises(PoolTimeout) as refusal:
            async with opened.transaction():
                pytest.fail("there was no turn to have")
    assert is_outage(refusal.value)
    assert len(await pids(opened, 2)) == 2


async def test_a_probe_and_a_listener_need_no_turn(opened: Database) -> None:
    async with opened.transaction(), opened.transaction(), opened.listening("news"):
        assert await opened.answers()


@pytest.mark.parametrize("name", ["org_a", "o'; DROP TABLE inbox; --", "\\'", "orgänisation 🏥", "\\+000027"])
async def test_a_transaction_is_an_organizations_whatever_its_name(opened: Database, name: str) -> None:
    async with opened.transaction(name) as connection:
        assert await connection.scalar(TENANT) == name
    async with opened.transaction() as connection:
        assert not await connection.scalar(TENANT)


async def test_of_a_cancelled_transaction_nothing_stays(opened: Database) -> None:
    begun = asyncio.Event()

    async def one() -> None:
        async with opened.transaction("org_a") as connection:
            await connection.execute(WRITE)
            begun.set()
            await connection.execute(text("SELECT pg_sleep(30)"))

    for _ in range(3):
        begun.clear()
        task = asyncio.create_task(one())
        await begun.wait()
        await asyncio.sleep(0.02)
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
    async with opened.transaction() as connection, opened.transaction() as another:
        assert await connection.scalar(WRITTEN) == 0
        assert not await another.scalar(TENANT)


async def test_a_statement_that_is_asked_often_is_the_same_statement(opened: Database) -> None:
    numbers = func.generate_series(1, bindparam("last", type_=Integer)).column_valued()
    statement = select(numbers, literal("-") + bindparam("name", type_=Text), TENANT.scalar_subquery())
    parameters = {"name": "o'; --", "last": 3}
    async with opened.transaction("org_a") as connection:
        expected = (await connection.execute(statement, parameters)).all()
        for _ in range(2):
            assert [tuple(row) for row in await fetch(connection, statement, parameters)] == expected
    assert expected == [(n, "-o'; --", "org_a") for n in (1, 2, 3)]


async def write_and_fail(opened: Database, *swallowed: type[Exception]) -> None:
    async with opened.transaction() as connection:
        await connection.execute(WRITE)
        with suppress(*swallowed):
            await connection.execute(text("SELECT no_such_column"))


async def test_of_a_failed_transaction_nothing_stays_and_nobody_can_hide_it(opened: Database) -> None:
    with pytest.raises(ProgrammingError):
        await write_and_fail(opened)
    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await write_and_fail(opened, ProgrammingError)
    async with opened.transaction() as connection:
        assert await connection.scalar(WRITTEN) == 0


async def test_a_listener_hears_that_its_connection_is_lost(opened: Database) -> None:
    listening = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    async with opened.listening("news") as notifications:
        async with opened.transaction() as connection:
            await connection.execute(text("SELECT pg_notify('news', '')"))
        await notifications.wait(10)
        assert not notifications.lost
        async with opened.transaction() as connection:
            await connection.execute(listening)
        await notifications.wait(10)
        assert notifications.lost


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


async def test_whenever_connections_end_whoever_used_them_is_told_of_an_outage(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    url = await new_database("patients")
    opened, errors, over = Database(url, "patients"), list[Exception](), asyncio.Event()

    async def keep_asking() -> None:
        while not over.is_set():
            try:
                async with opened.transaction("org_a") as connection:
                    await connection.execute(PID)
                    await fetch(connection, WRITTEN, {})
            except Exception as error:
                errors.append(error)

    asking = [asyncio.create_task(keep_asking()) for _ in range(24)]
    while len(errors) < 300:
        await ends(url)
    over.set()
    await asyncio.gather(*asking)
    assert {repr(error) for error in errors if not is_outage(error)} == set()
    assert len(await pids(opened, 16)) == 16
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
