from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from services.patients.tests.clinic import Clinic, opened_clinic


@pytest.fixture
async def clinic(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Clinic]:
    async with opened_clinic(await new_database("patients")) as opened:
        yield opened
