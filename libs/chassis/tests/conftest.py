import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from chassis.database import Database
from contracts.events import FiguresCounted
from contracts.routes import Route


@dataclass(frozen=True)
class Pair:
    """A producer and a consumer with names of their own, so that no test meets another's queues."""

    producer: str
    consumer: str

    @property
    def route(self) -> Route:
        return Route(FiguresCounted, producer=self.producer, consumers=(self.consumer,))


@pytest.fixture
def pair() -> Pair:
    tag = secrets.token_hex(4)
    return Pair(f"from-{tag}", f"to-{tag}")


@pytest.fixture
async def database(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Database]:
    """The patients schema stands for any: only its outbox and inbox are used here."""
    opened = Database(await new_database("patients"), "patients")
    yield opened
    await opened.close()
