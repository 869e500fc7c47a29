"""What is put on record: once, in a row, for good."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from services.admin.tests.conftest import Admin, connection, erasure, read, refusal, run
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from admin import handlers
from admin.domain.audit import Head
from chassis.identity import Caller
from contracts.events import ScheduleChanged, SyncLogsRemoved

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
ENTRIES = (
    "SELECT position, kind, user_id, role, impersonator, patient_ids, details FROM audit_entries ORDER BY position"
)


async def entries(admin: Admin, organization_id: str) -> list[tuple[Any, ...]]:
    async with admin.database.transaction(organization_id) as transaction:
        return [tuple(row) for row in await transaction.execute(text(ENTRIES))]


async def head(admin: Admin, organization_id: str) -> Head:
    """The head of a chain that is whole."""
    steps = [step async for step in handlers.verify(admin.database, organization_id)]
    assert isinstance(steps[-1].verdict, Head)
    return steps[-1].verdict


async def test_what_is_read_and_erased_is_on_record_once_and_for_its_own_organization_alone(admin: Admin) -> None:
    one, other = uuid4(), uuid4()
    first, second, gone = read("org_a", one), read("org_a", one, other), erasure("org_a", other)
    await admin.receive(first, second, gone, first, read("org_b", uuid4()))
    assert [entry[:6] for entry in await entries(admin, "org_a")] == [
        (1, "records.read", "user_1", "member", "user_2", [one]),
        (2, "records.read", "user_1", "member", "user_2", [one, other]),
        (3, "patient.erased", "user_3", "admin", None, [other]),
    ]
    assert len(await entries(admin, "org_b")) == 1


async def test_what_comes_again_after_the_inbox_forgot_it_adds_nothing(admin: Admin) -> None:
    events = [read("org_a", uuid4()) for _ in range(3)]
    await admin.receive_together(events)
    async with admin.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM inbox"))
    await admin.receive_together([*events, read("org_a", uuid4())])
    assert (await head(admin, "org_a")).position == 4


async def test_start_and_end_of_a_run_are_told_once_in_whatever_order_its_states_come(admin: Admin) -> None:
    for number, states in enumerate(permutations(["queued", "running", "completed"])):
        organization_id = f"org_{number}"
        for revision, status in enumerate(states):
            event = run(organization_id, status, revision=revision, completed_at=NOON + timedelta(minutes=5))
            await admin.receive(event, event)
        kept = await entries(admin, organization_id)
        assert sorted(entry[1] for entry in kept) == ["sync.ended", "sync.started"]
        assert {entry[6]["sync_id"] for entry in kept} == {"sync_1"}


async def test_a_change_of_the_connection_is_on_record(admin: Admin) -> None:
    await admin.receive(connection("org_a", revision=1), connection("org_a", revision=2, connected=False, valid=False))
    assert [(entry[1], entry[6]["connected"]) for entry in await entries(admin, "org_a")] == [
        ("connection.changed", True),
        ("connection.changed", False),
    ]


async def test_who_starts_connects_cancels_and_pauses_is_on_record(admin: Admin) -> None:
    who: dict[str, Any] = {"user_id": "user_1", "role": "admin", "impersonator": "user_2"}
    cancelled = {"cancelled_by": "user_3", "cancelled_by_impersonator": "user_4"}
    schedule = ScheduleChanged.model_validate({"organization_id": "org_a", "enabled": False, **who})
    logs = SyncLogsRemoved(organization_id="org_a", removed=5, days_old=90, user_id="user_5")
    await admin.receive(run("org_a", "cancelled", **who, **cancelled), connection("org_a", **who), schedule, logs)
    assert [entry[1:5] for entry in await entries(admin, "org_a")] == [
        ("sync.started", "user_1", "admin", "user_2"),
        ("sync.ended", "user_3", None, "user_4"),
        ("connection.changed", "user_1", "admin", "user_2"),
        ("schedule.changed", "user_1", "admin", "user_2"),
        ("logs.removed", "user_5", "operator", None),
    ]


async def test_what_an_operator_does_to_the_platform_is_on_record_in_the_operators_own_chain(admin: Admin) -> None:
    operator = Caller("org_platform", "user_operator", "admin", operator=True)
    await handlers.record_act(admin.database, "letter.redriven", {"queue": "a.b", "count": 2}, operator, NOON)
    (entry,) = await entries(admin, "org_platform")
    assert entry[1:4] == ("letter.redriven", "user_operator", "operator")
    assert entry[6] == {"queue": "a.b", "count": 2}


async def test_a_refusal_is_on_record_of_the_clinic_that_was_wanted(admin: Admin) -> None:
    event = refusal("org_a", "org_b")
    await admin.receive(connection("org_a"), event, event)
    assert [(entry[1], entry[2]) for entry in await entries(admin, "org_a")][1:] == [("access.refused", "user_4")]
    assert (await entries(admin, "org_a"))[1][6]["count"] == 3
    assert await entries(admin, "org_b") == []


async def test_who_names_clinics_that_do_not_exist_makes_no_chain_of_theirs(admin: Admin) -> None:
    await admin.receive(*(refusal(f"org_made_up_{n}", "org_b") for n in range(3)))
    found = await entries(admin, "org_b")
    assert [entry[6]["wanted_organization_id"] for entry in found] == [f"org_made_up_{n}" for n in range(3)]
    assert [await entries(admin, f"org_made_up_{n}") for n in range(3)] == [[], [], []]
    assert (await head(admin, "org_b")).position == 3


async def test_consumers_at_work_beside_each_other_make_one_chain_without_a_gap(admin: Admin) -> None:
    reads = [[read("org_a", uuid4()) for _ in range(5)] for _ in range(20)]
    runs = [run("org_a", status, revision=n) for n, status in enumerate(["running"] * 5 + ["completed"] * 5)]
    work = [admin.receive_together(group) for group in reads] + [admin.receive(one) for one in runs]
    random.Random(1).shuffle(work)
    await asyncio.gather(*work)
    assert (await head(admin, "org_a")).position == 102


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE audit_entries SET user_id = 'nobody'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
        "UPDATE audit_heads SET anchor_position = position, anchor_hash = hash",
    ],
)
async def test_not_even_the_service_can_change_what_is_on_record(admin: Admin, attempt: str) -> None:
    await admin.receive(read("org_a", uuid4()))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with admin.database.transaction("org_a") as transaction:
            await transaction.execute(text(attempt))
