import secrets
from collections.abc import AsyncIterator
from typing import Protocol

import asyncpg
import pytest
from services.patients.tests.clinic import Clinic, opened_clinic
from sqlalchemy.engine import make_url


class Server(Protocol):
    """The root conftest's PostgreSQL."""

    url: str


@pytest.fixture(scope="session")
async def shared_database(postgres: Server, migrated_template: tuple[str, str]) -> AsyncIterator[str]:
    """One database for all of these tests, each with an organization of its own: to make one costs more than a test."""
    template, password = migrated_template
    name = f"test_patients_{secrets.token_hex(6)}"
    url = make_url(postgres.url).set(database=name, username="routiq_patients", password=password)
    owner = await asyncpg.connect(postgres.url)
    await owner.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield url.render_as_string(hide_password=False)
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.close()


@pytest.fixture
async def clinic(shared_database: str) -> AsyncIterator[Clinic]:
    async with opened_clinic(shared_database) as opened:
        yield opened
