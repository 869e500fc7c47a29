"""Whatever happens to a clinic between its runs and during them, what is known of it ends as what it is."""

import random
from collections.abc import Awaitable, Callable
from secrets import token_hex

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.sync.tests.changing_cliniko import ChangingCliniko, nothing_happens
from services.sync.tests.reader import Reader, known, same, shown

from contracts.events import SyncMode

LISTS = ("patients", "individual_appointments")
Change = Callable[[random.Random, ChangingCliniko], None]


def add(chance: random.Random, cliniko: ChangingCliniko) -> None:
    for _ in range(chance.choice((1, 3, 120))):
        patient = cliniko.add_patient(first_name=chance.choice(("Ada", "", "Zoë")))
        cliniko.add_appointment(patient)


def rename(chance: random.Random, cliniko: ChangingCliniko) -> None:
    for patient in some(chance, cliniko, "patients"):
        cliniko.change("patients", patient, first_name=chance.choice(("Grace", "Mary", "")))


def mark(chance: random.Random, cliniko: ChangingCliniko) -> None:
    for patient in some(chance, cliniko, "patients"):
        cliniko.mark("patients", patient, "archived_at")
    for appointment in some(chance, cliniko, "individual_appointments"):
        column = chance.choice(("archived_at", "cancelled_at", "deleted_at"))
        cliniko.mark("individual_appointments", appointment, column)


def bring_back(chance: random.Random, cliniko: ChangingCliniko) -> None:
    for patient in some(chance, cliniko, "patients"):
        cliniko.change("patients", patient, archived_at=None)


def erase(chance: random.Random, cliniko: ChangingCliniko) -> None:
    path = chance.choice(LISTS)
    for row_id in some(chance, cliniko, path)[:3]:
        cliniko.erase(path, row_id)


def some(chance: random.Random, cliniko: ChangingCliniko, path: str) -> list[int]:
    ids = list(cliniko.lists[path])
    return chance.sample(ids, min(len(ids), chance.choice((1, 2, 110))))


BEFORE_HEALING = 9
"""Answers a comprehensive run gets at least before it looks for what changed meanwhile; what comes later waits for the
next run."""
CHANGES: tuple[Change, ...] = (add, rename, mark, bring_back, erase)
steps = st.lists(
    st.tuples(
        st.lists(st.sampled_from(CHANGES), max_size=3),
        st.sampled_from(("comprehensive", "incremental", "basic", "patients-only")),
        st.lists(st.tuples(st.integers(1, BEFORE_HEALING), st.sampled_from(CHANGES)), max_size=2),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps, chance=st.randoms(use_true_random=False), sorts_by_id=st.booleans(), bumps=st.booleans())
async def test_what_is_known_ends_as_what_cliniko_holds(
    reader: Reader,
    history: list[tuple[list[Change], SyncMode, list[tuple[int, Change]]]],
    chance: random.Random,
    sorts_by_id: bool,
    bumps: bool,
) -> None:
    await begin_anew(reader)
    cliniko = reader.cliniko
    cliniko.sorts_by_id, cliniko.bumps = sorts_by_id, bumps
    add(chance, cliniko)
    await reader.sync()
    for before, mode, during in history:
        cliniko.pass_time(chance.choice((1, 60, 4000)))
        for change in before:
            change(chance, cliniko)
            cliniko.pass_time(chance.choice((0, 1, 400)))
        cliniko.between = in_between(dict(during), len(cliniko.asked), chance, cliniko)
        await reader.sync(mode, confirm_removals=True)
        cliniko.between = nothing_happens
        if mode == "comprehensive":
            nothing_is_missing(reader)
    cliniko.pass_time(1)
    await reader.sync("incremental")
    nothing_is_missing(reader)
    await reader.sync(confirm_removals=True)
    assert same(reader)


async def begin_anew(reader: Reader) -> None:
    """Another organization, another clinic, behind the same address."""
    reader.organization_id = f"org_{token_hex(8)}"
    reader.states.clear()
    for rows in reader.cliniko.lists.values():
        rows.clear()
    await reader.connect()


def in_between(
    changes: dict[int, Change], asked: int, chance: random.Random, cliniko: ChangingCliniko
) -> Callable[[int], Awaitable[None]]:
    """A change before the answer of that number."""

    async def happens(answers: int) -> None:
        cliniko.pass_time(1)
        if change := changes.pop(answers - asked, None):
            change(chance, cliniko)

    return happens


def nothing_is_missing(reader: Reader) -> None:
    for path, kind in zip(LISTS, ("patients", "appointments"), strict=True):
        assert shown(reader.cliniko, path=path).keys() <= known(reader, kind).keys()
