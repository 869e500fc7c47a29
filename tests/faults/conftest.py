"""Routiq beside a Cliniko in which each test has clinics of its own."""

from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest
from tests.conftest import System, running
from tests.faults.practice import Practice, own_cliniko

CLINICS, PATIENTS = 50, 320
"""Four pages of patients, about fifteen of appointments."""
LARGE, LARGE_PATIENTS = "large", 2000
"""One more clinic, for tests that need a sync to last."""


@pytest.fixture(scope="session")
def beside_cliniko() -> Iterator[System]:
    """The whole system, with a Cliniko of our own and the broker that starts faster."""
    accounts = [f"MS0-clinic{number}-au4={100 + number}:{PATIENTS}" for number in range(CLINICS)]
    with own_cliniko(*accounts, f"MS0-{LARGE}-au4=99:{LARGE_PATIENTS}") as settings:
        with running("embedded", **settings) as system:
            yield system


@pytest.fixture(scope="session")
def unused() -> "count[int]":
    """Numbers of clinics that no test has had yet."""
    return count()


@pytest.fixture
def another_practice(beside_cliniko: System, unused: "count[int]") -> Iterator[Callable[[], Practice]]:
    """Connects one more clinic; all faults are taken back at the end."""

    def connected() -> Practice:
        practice = Practice(beside_cliniko, f"clinic{next(unused)}")
        practice.connect()
        return practice

    yield connected
    httpx.delete(f"{beside_cliniko.cliniko}/_control/faults").raise_for_status()


@pytest.fixture
def practice(another_practice: Callable[[], Practice]) -> Practice:
    """A clinic that is connected and was never synced."""
    return another_practice()
