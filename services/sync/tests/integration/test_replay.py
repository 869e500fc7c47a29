"""What patients and analytics know can be made anew from what the sync service has landed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from services.sync.tests.reader import Reader, fill_with_a_class
from sqlalchemy import text

from analytics.entrypoints.consumers import consumers as analytics_consumers
from chassis.consumers import Consumers
from chassis.database import Database
from patients.entrypoints.consumers import consumers as patients_consumers
from sync.entrypoints.replay import run as run_replay

TABLES = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
      AND relname NOT IN ('inbox', 'outbox', 'undone_times', 'alembic_version')
      AND relname NOT IN ('stale_documents', 'changes', 'former_places', 'touched', 'trends', 'erasures')
    ORDER BY relname
""")


@dataclass
class Consumer:
    """Another service, without a broker: it is handed what the outbox of sync holds."""

    consumers: Consumers
    database: Database
    organization_id: str

    async def hear(self, letters: list[tuple[str, bytes]]) -> None:
        for key, body in letters:
            for subscription in self.consumers.subscriptions:
                if subscription.key == key:
                    await self.consumers.handle(subscription, body, self.database)

    async def everything(self) -> dict[str, list[str]]:
        """Every row of every table that says something: no mark for work to do, no removal undone since."""
        async with self.database.transaction(self.organization_id) as connection:
            tables = list((await connection.execute(TABLES)).scalars())
            rows = {table: f"SELECT row.*::text FROM {table} AS row ORDER BY 1" for table in tables}
            rows["removals"] = (
                "SELECT row.*::text FROM removals AS row WHERE cliniko_id NOT IN"
                " (SELECT cliniko_patient_id FROM patients) ORDER BY 1"
            )
            return {table: list((await connection.execute(text(rows[table]))).scalars()) for table in tables}

    async def lose_everything(self) -> None:
        async with self.database.transaction(self.organization_id) as connection:
            for table in (await connection.execute(TABLES)).scalars():
                await connection.execute(text(f"DELETE FROM {table}"))


@pytest.fixture
async def patients(new_database: Callable[[str], Awaitable[str]], reader: Reader) -> AsyncIterator[Consumer]:
    database = Database(await new_database("patients"), "patients")
    yield Consumer(patients_consumers, database, reader.organization_id)
    await database.close()


@pytest.fixture
async def analytics(new_database: Callable[[str], Awaitable[str]], reader: Reader) -> AsyncIterator[Consumer]:
    database = Database(await new_database("analytics"), "analytics")
    yield Consumer(analytics_consumers, database, reader.organization_id)
    await database.close()


async def a_life(reader: Reader, *listeners: Consumer) -> None:
    """Two sweeps and what came between: changes, cancellations, a removal and a return."""
    cliniko = reader.cliniko
    cliniko.add("practitioners", first_name="Sam", last_name="Sample", active=True)
    cliniko.add("appointment_types", name="Pilates")
    pilates = fill_with_a_class(cliniko)
    reader.taps.extend(listener.hear for listener in listeners)
    await reader.sync()
    patients = list(cliniko.lists["patients"])
    cliniko.mark("patients", patients[3], "archived_at")
    cliniko.change("patients", patients[4], first_name="Grace")
    cliniko.mark("attendees", pilates.attendees[1], "cancelled_at")
    await reader.sync("incremental")
    erased = cliniko.lists["patients"][patients[5]]
    cliniko.erase("patients", patients[5])
    cliniko.erase("patients", patients[6])
    await reader.sync()
    cliniko.lists["patients"][patients[5]] = erased
    await reader.sync()


async def test_a_service_that_lost_its_tables_has_them_back_as_they_were(
    reader: Reader, patients: Consumer, analytics: Consumer
) -> None:
    await a_life(reader, patients, analytics)
    before: list[Any] = [await each.everything() for each in (patients, analytics)]
    assert all(rows for tables in before for rows in tables.values())
    for each in (patients, analytics):
        await each.lose_everything()
    await run_replay([reader.organization_id], reader.database)
    await reader.listen()
    for each, known in zip((patients, analytics), before, strict=True):
        for table, rows in (await each.everything()).items():
            assert rows == known[table], table


async def test_a_replay_changes_nothing_where_nothing_was_lost(reader: Reader, patients: Consumer) -> None:
    await a_life(reader, patients)
    before = await patients.everything()
    await run_replay([reader.organization_id], reader.database)
    await reader.listen()
    assert await patients.everything() == before


async def test_a_replay_to_one_service_is_for_that_one_alone(
    reader: Reader, patients: Consumer, analytics: Consumer
) -> None:
    await a_life(reader, patients, analytics)
    for each in (patients, analytics):
        await each.lose_everything()
    await run_replay([reader.organization_id, "--to", "patients"], reader.database)
    await reader.listen()
    assert (await patients.everything())["patients"]
    assert (await analytics.everything())["patients"] == []
