"""One service's schema moves to a PostgreSQL of its own, as docs/growth.md says; the others stay where they are."""

import asyncio
import secrets
import subprocess
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import asyncpg
import pytest
from tests.deploys.fleet import TODAY, fleet
from tests.faults.practice import Practice
from tests.recovery.steps import until

from chassis.migrations import Schema, migrate
from routiq.accounts import unprivileged
from routiq.plan import DATABASE, as_role, migrations
from routiq.ports import free_port
from routiq.processes import running
from routiq.servers import binaries
from routiq.servers.postgres import Postgres, ensure_database

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(280)]
WITHOUT = "--exclude-table-data=patients.former_places"  # numbers of the old server's transactions
PATIENTS = "SELECT count(*) FROM patients.patients"


@pytest.fixture
async def other(server_home: Path) -> AsyncIterator[Postgres]:
    home, account = server_home / "other-postgres", unprivileged()
    found = binaries.within_reach(binaries.find(home, account), account, home)
    server = Postgres(found, home, free_port(), secrets.token_hex(16), account, durable=False)
    async with running(server.program(server_home / "initdb.log"), logs=server_home):
        await ensure_database(server.url(), DATABASE)
        yield server
    binaries.forget_copy(home)


async def test_patients_moves_to_a_server_of_its_own_and_the_others_notice_nothing(
    other: Postgres, server_home: Path
) -> None:
    async with fleet("embedded", replicas=1, accounts=["MS0-moving-au4=500:320"]) as deployed:
        await deployed.migrate(TODAY)
        await asyncio.gather(*(deployed.start(replica) for replica in deployed.replicas))
        practice = Practice(deployed.system, "moving")
        await asyncio.to_thread(practice.connect)
        await asyncio.to_thread(practice.run)
        await deployed.stop("patients-1")
        others = {name: child.pid for name, child in deployed.running.items()}
        password = deployed.plan.secrets.role_passwords["patients"]
        await _move(deployed.plan.owner_url, other, password, server_home / "patients.dump")
        deployed.databases["patients"] = as_role(other.url(DATABASE), "routiq_patients", password)
        await deployed.start("patients-1")
        await asyncio.to_thread(until, lambda: _answered(practice))
        await asyncio.to_thread(practice.agrees)
        practice.change("insert", count=3, values={"first_name": "New", "last_name": "Here"})
        await asyncio.to_thread(practice.run)
        await asyncio.to_thread(practice.agrees)
        assert await _patients(other.url(DATABASE)) == await _patients(deployed.plan.owner_url) + 3
        assert {name: deployed.running[name].pid for name in others} == others


async def _move(old: str, other: Postgres, password: str, dump: Path) -> None:
    new = other.url(DATABASE)
    owner = await asyncpg.connect(new)
    await owner.execute("CREATE ROLE routiq_patients")  # to whom the dump grants; the migrations let it in
    await owner.close()
    programs = binaries.client_programs(int(other.binaries.major))
    taken = (programs / "pg_dump", "--schema=patients", WITHOUT, "--format=custom", "--file", dump, old)
    brought = (programs / "pg_restore", "--single-transaction", "--exit-on-error", "--dbname", new, dump)
    for command in (taken, brought):
        await asyncio.to_thread(subprocess.run, [str(part) for part in command], check=True)
    await migrate(new, [Schema("patients", migrations("patients"), password)])


def _answered(practice: Practice) -> bool:
    """Whoever asks in the first moments may still be sent to where nobody was."""
    path = f"/api/v1/patients/{practice.organization}/patients"
    return practice.system.call("GET", path, practice.organization).status_code == HTTPStatus.OK


async def _patients(url: str) -> int:
    owner = await asyncpg.connect(url)
    try:
        return int(await owner.fetchval(PATIENTS))
    finally:
        await owner.close()
