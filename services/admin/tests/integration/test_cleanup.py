"""What is old goes, and what the law wants kept stays."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from services.admin.tests.conftest import Admin, read, run
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from admin import handlers
from admin.adapters import chain
from admin.domain import testimony
from admin.domain.audit import GENESIS, Head, linked
from contracts.events import CleanupRequested

PATH = "/api/v1/admin/database/cleanup"


async def age(owner: asyncpg.Connection, position: int, years: int) -> None:
    """Make the entries up to this position older than they are, as they were sealed so long ago."""
    await owner.execute(
        "UPDATE audit_entries SET recorded_at = now() - $2::interval WHERE position <= $1",
        position,
        timedelta(days=366 * years),
    )


async def verdict(admin: Admin, organization_id: str) -> Any:
    *_, last = [step async for step in handlers.verify(admin.database, organization_id)]
    return last.verdict


async def kinds(admin: Admin, organization_id: str) -> list[tuple[int, str]]:
    response = await admin.get(f"/api/v1/admin/audit/{organization_id}")
    return [(entry["position"], entry["kind"]) for entry in reversed(response.json()["entries"])]


async def test_entries_older_than_the_legal_term_go_and_the_rest_still_verifies(
    admin: Admin, owner: asyncpg.Connection
) -> None:
    await admin.receive_together([read("org_a", uuid4()) for _ in range(5)])
    await age(owner, 3, years=7)
    response = await admin.post(PATH, days_old=90)
    assert response.status_code == 200
    answer = response.json()
    assert (answer["success"], answer["days_cleaned"]) == (True, 90)
    assert answer["cleanup_results"][:2] == [
        "Deleted 3 old audit logs",
        "Kept 3 audit logs: none goes before it is 6 years old",
    ]
    whole = await verdict(admin, "org_a")
    assert isinstance(whole, Head)
    assert (whole.anchor_position, whole.position) == (3, 6)
    assert await kinds(admin, "org_a") == [(4, "records.read"), (5, "records.read"), (6, "audit.removed")]
    assert await kinds(admin, "org_platform") == [(1, "audit.cleaned")]


async def test_the_sync_service_is_asked_to_clean_every_organization_too(admin: Admin) -> None:
    await admin.receive(run("org_a", "queued"), run("org_b", "queued"))
    answer = (await admin.post(PATH, days_old=30)).json()
    assert answer["cleanup_results"][2] == "Deleting sync logs of 2 organizations; their audit will say how many went"
    async with admin.database.transaction() as connection:
        bodies = await connection.scalars(text("SELECT body FROM outbox ORDER BY id"))
        asked = [CleanupRequested.model_validate_json(body) for body in bodies]
    assert [(one.organization_id, one.days_old, one.user_id) for one in asked] == [
        ("org_a", 30, "user_operator"),
        ("org_b", 30, "user_operator"),
    ]


async def test_an_old_entry_behind_a_young_one_stays(admin: Admin, owner: asyncpg.Connection) -> None:
    await admin.receive_together([read("org_a", uuid4()) for _ in range(3)])
    await age(owner, 3, years=7)
    await owner.execute("UPDATE audit_entries SET recorded_at = now() WHERE position = 2")
    await admin.post(PATH)
    assert [position for position, _ in await kinds(admin, "org_a")][:2] == [2, 3]


async def test_days_beyond_the_legal_term_keep_more_than_it(admin: Admin, owner: asyncpg.Connection) -> None:
    await admin.receive(read("org_a", uuid4()))
    await age(owner, 1, years=7)
    answer = (await admin.post(PATH, days_old=3650)).json()
    assert answer["cleanup_results"][0] == "Deleted 0 old audit logs"


async def test_an_entry_short_of_the_legal_term_stays(admin: Admin, owner: asyncpg.Connection) -> None:
    await admin.receive(read("org_a", uuid4()))
    await age(owner, 1, years=5)
    answer = (await admin.post(PATH, days_old=1)).json()
    assert answer["cleanup_results"][0] == "Deleted 0 old audit logs"


@pytest.mark.parametrize("before", ["now()", "now() - interval '6 years' + interval '1 minute'", "'infinity'", "NULL"])
async def test_the_database_itself_keeps_the_legal_term(admin: Admin, before: str) -> None:
    await admin.receive(read("org_a", uuid4()))
    with pytest.raises(DBAPIError, match="kept for six years"):
        async with admin.database.transaction("org_a") as transaction:
            await transaction.execute(text(f"SELECT forget_audited({before}, 1000)"))


@pytest.mark.parametrize("days", [0, 3651])
async def test_days_beyond_reason_are_refused(admin: Admin, days: int) -> None:
    assert (await admin.post(PATH, days_old=days)).status_code == 400


async def test_only_operators_clean_up(admin: Admin) -> None:
    assert (await admin.post(PATH, operator=False)).status_code == 403


async def test_what_goes_under_the_walkers_feet_does_not_look_broken(admin: Admin) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=366 * 7)
    reads = [testimony.of_read(read("org_a", uuid4())) for _ in range(450)]
    rows = [chain._row(link) for link in linked("org_a", 0, GENESIS, reads, long_ago)]
    async with admin.database.transaction("org_a") as connection:
        await chain.Chain(connection, "org_a").append([])
        await connection.execute(chain._ADD, rows)
        await connection.execute(chain._MOVE, rows[-1])
    steps: list[handlers.Step] = []
    async for step in handlers.verify(admin.database, "org_a"):
        if not steps:
            await admin.post(PATH)
        steps.append(step)
    whole = steps[-1].verdict
    assert isinstance(whole, Head)
    assert (whole.anchor_position, whole.position) == (450, 451)
