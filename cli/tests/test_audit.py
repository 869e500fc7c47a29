"""The audit chains through the command, on a real database with the real service's verification."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from admin.adapters.chain import Chain
from admin.domain import testimony
from chassis.database import Database
from contracts.events import PatientRecordsRead
from routiq import audit
from routiq.failures import ReportedError
from routiq.plan import WITH_A_DATABASE, Plan, Servers
from routiq.settings import from_environment
from routiq.state import Secrets, StateDirectory

Installation = tuple[Plan, asyncpg.Connection]


@pytest.fixture
async def installation(new_database: Callable[[str], Awaitable[str]], state: StateDirectory, postgres: Any) -> Any:
    """Two clinics of each of which three reads are on record, and the database's owner."""
    url = await new_database("admin")
    database = Database(url, "admin", connections=2)
    for organization_id in ("org_a", "org_b"):
        async with database.transaction(organization_id) as connection:
            await Chain(connection, organization_id).append([testimony.of_read(_read(organization_id)) for _ in "123"])
    await database.close()
    secrets = state.secrets(WITH_A_DATABASE)
    passwords = dict.fromkeys(WITH_A_DATABASE, urlsplit(url).password or "")
    settings = from_environment({"DATABASE_URL": url, "AMQP_URL": "amqp://127.0.0.1:9/"})
    plan = Plan(settings, Secrets(**{**vars(secrets), "role_passwords": passwords}), Servers(None, None), state)
    owner = await asyncpg.connect(urlsplit(postgres.url)._replace(path=urlsplit(url).path).geturl())
    yield plan, owner
    await owner.close()


def _read(organization_id: str) -> PatientRecordsRead:
    patient = uuid4()
    return PatientRecordsRead(
        organization_id=organization_id,
        user_id="user_1",
        role="member",
        route="/patients",
        patient_count=1,
        patient_ids=(patient,),
    )


async def test_whole_chains_are_said_to_be_whole(installation: Installation, capsys: Any) -> None:
    plan, _ = installation
    await audit.verify(plan, None)
    assert "2 audit chains are whole." in capsys.readouterr().out
    await audit.verify(plan, "org_a")
    assert "org_a: whole up to entry 3, whose hash is" in capsys.readouterr().out


async def test_the_broken_link_is_named_and_is_a_failure(installation: Installation, capsys: Any) -> None:
    plan, owner = installation
    await owner.execute("DELETE FROM admin.audit_entries WHERE position = 2 AND organization_id = 'org_b'")
    with pytest.raises(ReportedError, match="1 of 2 audit chains are broken") as failure:
        await audit.verify(plan, None)
    assert failure.value.exit_status == 1
    assert "org_b: broken at entry 2: it is missing." in capsys.readouterr().out


async def test_of_an_unknown_organization_nothing_is_on_record(installation: Installation) -> None:
    plan, _ = installation
    with pytest.raises(ReportedError, match="Nothing is on record of org_nobody"):
        await audit.verify(plan, "org_nobody")
