"""A backup is brought back to a server whose roles this machine has no passwords of: they stay as they are."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from conftest import PostgresServer
from tests.conftest import System
from tests.faults.practice import Practice

pytestmark = pytest.mark.e2e

ROLES = "SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname LIKE 'routiq_%' ORDER BY 1"


@pytest.fixture
async def elsewhere(
    damaged: System, postgres: PostgresServer, migrated_template: tuple[str, str], tmp_path: Path
) -> AsyncIterator[tuple[System, str]]:
    """A server with roles that this machine has no passwords of, and the database in it that is not there yet."""
    name = f"elsewhere_{secrets.token_hex(4)}"
    url = urlsplit(postgres.url)._replace(path=f"/{name}").geturl()
    yield System(tmp_path, {**damaged.environment, "DATABASE_URL": url}), url
    server = await asyncpg.connect(postgres.url)
    for (left,) in await server.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", name):
        await server.execute(f'DROP DATABASE "{left}"')
    await server.close()


async def test_a_restore_leaves_the_roles_their_passwords(
    damaged: System,
    clinics: tuple[Practice, Practice],
    postgres: PostgresServer,
    elsewhere: tuple[System, str],
) -> None:
    there, url = elsewhere
    place = next(iter(damaged.command("backup", "--to", str(there.home / "kept")).stdout.split(": ")))
    before = await _fetch(postgres.url, ROLES)
    there.command("restore", place)
    patient = (await _fetch(url, "SELECT organization_id, cliniko_patient_id FROM patients.patients LIMIT 1"))[0]
    await _fetch(url, "INSERT INTO patients.erasures VALUES ($1, $2, now())", *patient)
    said = there.command("restore", place).stdout
    assert "1 patients who were erased after the backup were erased again" in said
    left = "SELECT FROM patients.patients WHERE organization_id = $1 AND cliniko_patient_id = $2"
    assert await _fetch(url, left, *patient) == []
    assert await _fetch(postgres.url, ROLES) == before


async def _fetch(url: str, statement: str, *values: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()
