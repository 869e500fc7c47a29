"""Whoever owns the database can change anything, and is found out."""

import json
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from services.admin.tests.conftest import Admin, connection, figures, read

from admin import handlers
from admin.adapters.trail import Trail
from admin.domain.audit import Head
from admin.domain.verification import Break, Fault
from admin.entrypoints import verification

# The chain has 450 entries: a page is 200. Each way to tamper with it, and where and what is found.
TAMPERING: dict[str, tuple[str, tuple[int, Fault]]] = {
    "a field was changed": ("UPDATE audit_entries SET user_id = 'user_x' WHERE position = 250", (250, "hash")),
    "patients were taken out": ("UPDATE audit_entries SET patient_ids = '{}' WHERE position = 1", (1, "hash")),
    "details hold nothing": ("UPDATE audit_entries SET details = 'null' WHERE position = 2", (2, "hash")),
    "a patient became none": ("UPDATE audit_entries SET patient_ids = '{NULL}' WHERE position = 3", (3, "hash")),
    "time was moved": (
        "UPDATE audit_entries SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 450",
        (450, "hash"),
    ),
    "a row in the middle is gone": ("DELETE FROM audit_entries WHERE position = 200", (200, "gap")),
    "rows over a page are gone": ("DELETE FROM audit_entries WHERE position BETWEEN 100 AND 420", (100, "gap")),
    "the gap was closed": (
        """
        DELETE FROM audit_entries WHERE position = 449;
        UPDATE audit_entries SET position = 449 WHERE position = 450;
        UPDATE audit_heads SET position = 449
        """,
        (449, "previous"),
    ),
    "the tail is gone": ("DELETE FROM audit_entries WHERE position > 440", (441, "head")),
    "the tail is gone up to a page's end": ("DELETE FROM audit_entries WHERE position > 200", (201, "head")),
    "the tail is gone, and the head says so": (
        "DELETE FROM audit_entries WHERE position > 440; UPDATE audit_heads SET position = 440",
        (440, "head"),
    ),
    "everything is gone but the head": ("DELETE FROM audit_entries", (1, "head")),
    "the head is gone": ("DELETE FROM audit_heads", (1, "head")),
    "the head was put back": ("UPDATE audit_heads SET position = 440", (441, "head")),
    "the beginning is gone": ("DELETE FROM audit_entries WHERE position <= 10", (1, "gap")),
    "the beginning is gone, with an anchor": (
        "DELETE FROM audit_entries WHERE position <= 10; UPDATE audit_heads SET anchor_position = 10",
        (11, "previous"),
    ),
    "two rows were exchanged": (
        """
        UPDATE audit_entries SET position = 1000 + position WHERE position IN (20, 21);
        UPDATE audit_entries SET position = 1041 - position WHERE position > 1000
        """,
        (20, "previous"),
    ),
}

# What nobody finds who sees the chain for the first time: only who knows how far it had come, see decision 19.
REWRITING: dict[str, tuple[str, tuple[int, Fault]]] = {
    "the tail is gone, and the head fits": (
        """
        DELETE FROM audit_entries WHERE position > 440;
        UPDATE audit_heads SET (position, hash) = (SELECT position, hash FROM audit_entries AS last
            WHERE last.position = 440 AND last.organization_id = 'org_b') WHERE true
        """,
        (441, "forgotten"),
    ),
    "everything is gone, head and all": (
        "DELETE FROM audit_entries; DELETE FROM audit_heads",
        (1, "forgotten"),
    ),
    "everything is gone, as if it had been lawful": (
        "DELETE FROM audit_entries; UPDATE audit_heads SET anchor_position = position, anchor_hash = hash",
        (451, "anchor"),
    ),
    "the beginning is gone, with an anchor that fits": (
        """
        UPDATE audit_heads SET anchor_position = 10, anchor_hash = (SELECT hash FROM audit_entries AS last
            WHERE last.position = 10 AND last.organization_id = 'org_b') WHERE true;
        DELETE FROM audit_entries WHERE position <= 10
        """,
        (11, "anchor"),
    ),
}


@pytest.fixture
async def whole(admin: Admin) -> Admin:
    """A chain of 450 entries between two short ones."""
    await admin.receive_together([read("org_b", uuid4(), uuid4()) for _ in range(450)])
    await admin.receive(read("org_a", uuid4()), read("org_c", uuid4()))
    return admin


async def verdicts(admin: Admin, organization_id: str | None = None) -> dict[str, Any]:
    steps = [step async for step in handlers.verify(admin.database, organization_id)]
    return {step.organization_id: step.verdict for step in steps if step.verdict}


async def test_chains_that_nobody_touched_are_whole(whole: Admin) -> None:
    found = await verdicts(whole)
    assert [(name, type(head), head.position) for name, head in found.items()] == [
        ("org_a", Head, 1),
        ("org_b", Head, 450),
        ("org_c", Head, 1),
    ]


@pytest.mark.parametrize(("statement", "found"), TAMPERING.values(), ids=TAMPERING)
async def test_the_first_broken_link_is_named(
    whole: Admin, owner: asyncpg.Connection, statement: str, found: tuple[int, Fault]
) -> None:
    await owner.execute("\n".join(_of_one_clinic(statement)))
    after = await verdicts(whole)
    assert after.pop("org_b") == Break("org_b", *found)
    assert all(isinstance(verdict, Head) for verdict in after.values())


@pytest.mark.parametrize(("statement", "found"), REWRITING.values(), ids=REWRITING)
async def test_a_chain_that_was_seen_before_cannot_go_back(
    whole: Admin, owner: asyncpg.Connection, statement: str, found: tuple[int, Fault]
) -> None:
    await verdicts(whole)
    await owner.execute("\n".join(_of_one_clinic(statement)))
    for _ in range(2):  # what is broken is not witnessed
        after = await verdicts(whole)
        assert after.pop("org_b") == Break("org_b", *found)
        assert all(isinstance(verdict, Head) for verdict in after.values())


async def test_a_chain_written_anew_from_its_beginning_is_not_the_one_seen_before(
    whole: Admin, owner: asyncpg.Connection
) -> None:
    await verdicts(whole)
    await owner.execute("DELETE FROM audit_entries; DELETE FROM audit_heads")
    await whole.receive_together([read("org_b", uuid4()) for _ in range(460)])
    assert (await verdicts(whole))["org_b"] == Break("org_b", 450, "witness")


async def test_a_connected_clinic_of_which_nothing_is_on_record_is_broken(
    admin: Admin, owner: asyncpg.Connection
) -> None:
    await admin.receive(connection("org_a"), figures("org_b", 1, 1))
    await owner.execute("DELETE FROM audit_entries; DELETE FROM audit_heads")
    assert await verdicts(admin) == {"org_a": Break("org_a", 1, "forgotten")}


async def test_an_entry_before_the_beginning_is_found_where_it_can_be_put_at_all(
    whole: Admin, owner: asyncpg.Connection
) -> None:
    put = "INSERT INTO audit_entries SELECT * FROM jsonb_populate_record(NULL::audit_entries, $1)"
    row = await owner.fetchval("SELECT to_jsonb(e) FROM audit_entries AS e WHERE organization_id = 'org_a'")
    forged = json.loads(row) | {"position": 0, "entry_id": str(uuid4())}
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(put, json.dumps(forged))
    await owner.execute("ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_position_check")
    await owner.execute(put, json.dumps(forged))
    assert (await verdicts(whole))["org_a"] == Break("org_a", 0, "before")


def _of_one_clinic(statement: str) -> list[str]:
    """The statements, for `org_b` alone."""
    statements = [part.strip() for part in statement.split(";")]
    return [f"{part} {'AND' if 'WHERE' in part else 'WHERE'} organization_id = 'org_b';" for part in statements]


async def test_a_hash_computed_anew_is_found_at_the_next_entry(whole: Admin, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE audit_entries SET user_id = 'user_x' WHERE position = 7 AND organization_id = 'org_b'")
    async with whole.database.transaction("org_b") as connection:
        (link,) = await Trail(connection, "org_b").page(6, 7, 1)
    await owner.execute("UPDATE audit_entries SET hash = $1 WHERE position = 7", link.seal())
    assert (await verdicts(whole))["org_b"] == Break("org_b", 8, "previous")


async def test_the_last_hash_computed_anew_does_not_fit_the_head(whole: Admin, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE audit_entries SET kind = 'audit.read' WHERE organization_id = 'org_a'")
    async with whole.database.transaction("org_a") as connection:
        (link,) = await Trail(connection, "org_a").page(0, 1, 1)
    await owner.execute("UPDATE audit_entries SET hash = $1 WHERE organization_id = 'org_a'", link.seal())
    assert (await verdicts(whole, "org_a"))["org_a"] == Break("org_a", 1, "head")


async def test_what_is_put_on_record_meanwhile_does_not_look_broken(whole: Admin) -> None:
    steps = []
    async for step in handlers.verify(whole.database, "org_b"):
        await whole.receive(read("org_b", uuid4()))
        steps.append(step)
    assert isinstance(steps[-1].verdict, Head)


async def test_the_command_says_it_line_by_line_and_in_its_status(
    whole: Admin, owner: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await verification.run(["org_b"], whole.database) == verification.WHOLE
    assert await verification.run(["org_unknown"], whole.database) == verification.NOTHING
    await owner.execute("DELETE FROM audit_entries WHERE position = 300")
    capsys.readouterr()
    assert await verification.run([], whole.database) == verification.BROKEN
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == {"total": 452}
    assert [line["organization_id"] for line in said if "head" in line] == ["org_a", "org_c"]
    assert [(line["organization_id"], line["broken"]) for line in said if "broken" in line] == [("org_b", 300)]
