"""The documents against a slow computation of their own, over random histories."""

import asyncio
from datetime import timedelta
from random import Random

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic
from services.patients.tests.random_history import random_history
from services.patients.tests.slow import History

LATER = [timedelta(0), timedelta(microseconds=1), HOUR, DAY, 20 * DAY, 30 * DAY, 31 * DAY]


@pytest.mark.parametrize("seed", range(6))
async def test_every_field_of_every_patient_is_what_a_slow_computation_gives(clinic: Clinic, seed: int) -> None:
    events = random_history(Random(seed), clinic)
    await clinic.hears(*events)
    await reads_as_computed(clinic, History(events))


@pytest.mark.parametrize("seed", range(6))
async def test_messages_applied_at_the_same_time_give_the_same_documents(clinic: Clinic, seed: int) -> None:
    events = random_history(Random(seed), clinic)
    await asyncio.gather(*(clinic.hears(event) for event in events))
    await reads_as_computed(clinic, History(events))


async def reads_as_computed(clinic: Clinic, history: History) -> None:
    for later in LATER:
        clinic.now = NOON + later
        for active in ("true", "false", "all"):
            answer = await clinic.get("patients", active=active, limit=1000)
            expected = history.patient_list(clinic.now, active)
            assert answer["patients"] == expected
            assert answer["total_count"] == len(expected)
