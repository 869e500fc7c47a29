"""One clinic never sees another's."""

import pytest
from fastapi.routing import APIRoute
from services.analytics.tests.conftest import Analytics
from sqlalchemy import TableClause, column, delete, func, select, table, text, update
from sqlalchemy.exc import DBAPIError

from analytics.adapters.store import Store
from analytics.entrypoints.consumers import consumers
from analytics.entrypoints.http import router
from contracts.examples import EXAMPLES, NOON

OWNER = "org_example"
"""The organization of every example."""
TOUCH = text("INSERT INTO touched (organization_id, patients) VALUES (:organization_id, '{12345}')")
TABLES = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    AND relname NOT IN ('inbox', 'outbox', 'undone_times', 'alembic_version')
""")
ROUTES = [route.path.format(organization_id=OWNER) for route in router.routes if isinstance(route, APIRoute)]


@pytest.fixture
async def synced(analytics: Analytics) -> Analytics:
    heard = {subscription.event for subscription in consumers.subscriptions}
    await analytics.receive(*(event for event in EXAMPLES if type(event) in heard))
    async with analytics.database.transaction(OWNER) as connection:
        await Store(connection).trend(OWNER, "7d", NOON)
        await connection.execute(TOUCH, {"organization_id": OWNER})
    return analytics


async def tables(analytics: Analytics) -> list[TableClause]:
    async with analytics.database.transaction() as connection:
        return [table(name, column("organization_id")) for name in await connection.scalars(TABLES)]


async def count(analytics: Analytics, rows: TableClause, organization_id: str | None) -> int:
    async with analytics.database.transaction(organization_id) as connection:
        return (await connection.execute(select(func.count()).select_from(rows))).scalar_one()


async def test_every_table_shows_its_rows_to_their_organization_alone(synced: Analytics) -> None:
    everything = await tables(synced)
    assert len(everything) >= 4
    for rows in everything:
        counts = [await count(synced, rows, organization_id) for organization_id in (OWNER, "org_other", None)]
        assert counts == [1, 0, 0], rows.name


async def test_no_row_can_be_given_to_another_organization(synced: Analytics) -> None:
    for rows in await tables(synced):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with synced.database.transaction(OWNER) as connection:
                await connection.execute(update(rows).values(organization_id="org_other"))


async def test_no_row_of_another_organization_can_be_removed(synced: Analytics) -> None:
    for rows in await tables(synced):
        async with synced.database.transaction("org_other") as connection:
            assert (await connection.execute(delete(rows))).rowcount == 0


async def test_another_organization_reads_as_not_found(synced: Analytics) -> None:
    for route in ROUTES:
        assert (await synced.get(route, caller_of=OWNER)).status_code == 200
        response = await synced.get(route, caller_of="org_other")
        assert response.status_code == 404
        assert set(response.json()) == {"error", "detail", "timestamp", "path"}


async def test_nobody_but_the_gateway_is_believed(synced: Analytics) -> None:
    for route in ROUTES:
        assert (await synced.get(route, caller_of=OWNER, signed_for="patients")).status_code == 401
