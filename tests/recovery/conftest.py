"""A system whose data are lost and brought back."""

from collections.abc import Iterator

import pytest
from tests.conftest import System, running
from tests.faults.practice import Practice, own_cliniko

CLINICS = "erasing", "changing"


@pytest.fixture(scope="module")
def damaged() -> Iterator[System]:
    """Cliniko goes on while it is down."""
    with own_cliniko(*(f"MS0-{name}-au4={seed}:320" for seed, name in enumerate(CLINICS))) as settings:
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
