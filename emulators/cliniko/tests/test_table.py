"""Whatever happens to a table, a selection is what a naive reading of every record gives."""

from operator import attrgetter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_emulator.filters import parse
from cliniko_emulator.records import Appointment
from cliniko_emulator.resources import INDIVIDUAL_APPOINTMENTS
from cliniko_emulator.table import Table

MOMENTS = st.sampled_from([0.0, 0.25, 1.0, 60.0, 61.5])
COLUMNS = ("created_at", "updated_at", "cancelled_at", "patient_id", "did_not_arrive", "id")
RECORDS = st.builds(
    Appointment,
    id=st.integers(1, 12),
    created_at=MOMENTS,
    updated_at=MOMENTS,
    starts_at=MOMENTS,
    ends_at=MOMENTS,
    cancelled_at=st.none() | MOMENTS,
    patient_id=st.none() | st.integers(1, 3),
    did_not_arrive=st.sampled_from([None, True, False]),
)
CONDITIONS = st.sampled_from(
    [
        "id:=1,5,9",
        "id:>4",
        "created_at:>=1970-01-01T00:00:01Z",
        "updated_at:>1970-01-01T00:00:00Z",
        "updated_at:<=1970-01-01T00:01:00Z",
        "cancelled_at:?",
        "cancelled_at:!?",
        "cancelled_at:*",
        "cancelled_at:<1970-01-01T00:01:00Z",
        "patient_id:!=2",
        "did_not_arrive:=true",
    ]
)
SORTS = st.lists(st.tuples(st.sampled_from(COLUMNS), st.booleans()), min_size=1, max_size=2).map(tuple)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "change", "remove"]), RECORDS), max_size=12)


def in_order(records: list[Appointment], sort: tuple[tuple[str, bool], ...]) -> list[Appointment]:
    """Null last, or first where the column descends; equal rows by id."""
    records = sorted(records, key=attrgetter("id"))
    for column, descending in reversed(sort):
        value = attrgetter(column)
        nulls = [one for one in records if value(one) is None]
        others = sorted((one for one in records if value(one) is not None), key=value, reverse=descending)
        records = nulls + others if descending else others + nulls
    return records


def make(table: Table[Appointment], step: str, given: Appointment) -> None:
    held = table.get(given.id)
    if step == "add":
        table.add(given)
    elif held is not None and step == "change":
        table.change(held, {column: getattr(given, column) for column in COLUMNS if column != "id"})
    elif held is not None:
        table.remove(held)


@settings(max_examples=300, deadline=None)
@given(st.lists(RECORDS, max_size=12), st.lists(CONDITIONS, max_size=3), SORTS, STEPS)
def test_a_selection_equals_a_naive_reading_after_every_change(
    records: list[Appointment], texts: list[str], sort: Any, steps: list[tuple[str, Appointment]]
) -> None:
    table = Table(records)
    conditions = frozenset(parse(text, INDIVIDUAL_APPOINTMENTS.columns) for text in texts)
    for step, record in [("look", Appointment(id=0, created_at=0, updated_at=0, starts_at=0, ends_at=0)), *steps]:
        make(table, step, record)
        meeting = [one for one in table if all(c.test is None or c.test(getattr(one, c.column)) for c in conditions)]
        found = table.select(conditions, sort)
        assert found.page(0, found.total) == in_order(meeting, sort)
        assert found.page(1, 2) == in_order(meeting, sort)[1:3]
