"""A system whose data are lost and brought back."""

from collections.abc import Iterator

import pytest
from tests.conftest import System, running
from tests.faults.practice import Practice, own_cliniko

CLINICS = "erasing", "changing"
LARGER = "larger"


@pytest.fixture(scope="module")
def damaged() -> Iterator[System]:
    """Cliniko goes on while it is down."""
    accounts = [f"MS0-{name}-au4={seed}:320" for seed, name in enumerate(CLINICS)]
    with own_cliniko(*accounts, f"MS0-{LARGER}-au4=7:2500:10000") as settings:
        with running("embedded", **settings) as system:
            yield system


@pytest.fixture(scope="module")
def clinics(damaged: System) -> tuple[Practice, Practice]:
    """Two clinics, connected and synced."""
    erasing, changing = (Practice(damaged, name) for name in CLINICS)
    for practice in (erasing, changing):
        practice.connect()
        practice.run()
    return erasing, changing
