"""No query of the services looks through a tenant table from end to end, whoever's rows it holds."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.plans.asking import Statements, opened
from tests.plans.conftest import CLINICS, UrlOf

from analytics.entrypoints.consumers import consumers as of_analytics
from analytics.entrypoints.http import router as analytics_router
from patients.entrypoints.consumers import consumers as of_patients
from patients.entrypoints.http import router as patients_router
from read_rows import A_MILLION

SERVICES = {"patients": (of_patients, patients_router), "analytics": (of_analytics, analytics_router)}
ORGANIZATION = CLINICS[150].organization_id
PATIENTS = [str(CLINICS[150].number * A_MILLION + number) for number in range(1, CLINICS[150].patients)]
TENANT_TABLES = text(
    "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = current_schema::regnamespace"
)


@pytest.fixture(scope="session", params=SERVICES)
async def statements(request: pytest.FixtureRequest, loaded: UrlOf) -> AsyncIterator[Statements]:
    """All that the service executes when it is asked and told everything there is."""
    consumers, router = SERVICES[request.param]
    async with opened(loaded(request.param), consumers, router, ORGANIZATION, PATIENTS) as service:
        noted = Statements(service.database)
        await service.is_asked_everything()
        await service.hears_everything()
        await service.is_asked_everything()  # what was told may have to be worked out when it is read
        noted.stop()
        assert noted.seen
        yield noted


async def test_no_tenant_table_is_scanned_for_the_values_of_a_request(statements: Statements) -> None:
    found = []
    async with statements.database.transaction(ORGANIZATION) as connection:
        tables = await tenant_tables(connection)
        for statement, parameters in statements.seen.items():
            explained = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            found += [(table, statement) for table in scanned(explained.scalar_one()) if table in tables]
    assert not found


async def test_no_tenant_table_is_scanned_once_a_plan_is_kept_for_all_values(statements: Statements) -> None:
    """PostgreSQL plans a prepared statement anew five times, then may keep a plan that fits all."""
    found = []
    async with statements.database.transaction(ORGANIZATION) as connection:
        tables = await tenant_tables(connection)
        await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        for statement, parameters in statements.seen.items():
            plan = await plan_for_all(connection, statement, len(parameters))
            found += [(table, statement) for table in scanned(plan) if table in tables]
    assert not found


async def test_a_scan_would_be_found(statements: Statements) -> None:
    async with statements.database.transaction(ORGANIZATION) as connection:
        for kind in ("indexscan", "indexonlyscan", "bitmapscan"):
            await connection.execute(text(f"SET LOCAL enable_{kind} = off"))
        query = "EXPLAIN (FORMAT JSON) SELECT FROM patients JOIN appointments USING (organization_id)"
        assert {"patients", "appointments"} <= set(scanned((await connection.exec_driver_sql(query)).scalar_one()))
        assert {"patients", "appointments"} <= await tenant_tables(connection)


async def tenant_tables(connection: AsyncConnection) -> set[str]:
    return set((await connection.execute(TENANT_TABLES)).scalars())


async def plan_for_all(connection: AsyncConnection, statement: str, parameters: int) -> Any:
    """The plan of a prepared statement whatever its values; none are looked at."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.execute(f"PREPARE kept AS {statement}")
    values = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    plan = await driver.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE kept{values}")
    await driver.execute("DEALLOCATE kept")
    return plan


def scanned(plan: Any) -> Iterator[str]:
    """Tables that are read from end to end anywhere in the plan."""
    if isinstance(plan, list):
        for part in plan:
            yield from scanned(part)
    elif isinstance(plan, dict):
        if plan.get("Node Type") == "Seq Scan":
            yield plan["Relation Name"]
        for part in plan.values():
            yield from scanned(part)
