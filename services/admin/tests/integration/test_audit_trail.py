"""Who read patient X last month? One request."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from services.admin.tests.conftest import SOME_REQUEST, Admin, connection, erasure, read, run

PATH = "/api/v1/admin/audit/org_a"
NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
X, Y = uuid4(), uuid4()
INDEXES = (
    "audit_entries_patient_ids_idx",
    "audit_entries_organization_id_user_id_position_idx",
    "audit_entries_organization_id_kind_position_idx",
    "audit_entries_organization_id_occurred_at_idx",
)


@pytest.fixture
async def told(admin: Admin) -> Admin:
    """Six entries of `org_a`, a day apart, and one of another clinic's."""
    days = (NOON + timedelta(days=day) for day in range(3))
    reads = [read("org_a", *whom, occurred_at=day) for whom, day in zip(((X,), (Y,), (X, Y)), days, strict=True)]
    await admin.receive(*reads, read("org_a", X, user_id="user_9"), erasure("org_a", X), connection("org_a"))
    await admin.receive(read("org_b", X))
    return admin


async def page(admin: Admin, **query: Any) -> dict[str, Any]:
    response = await admin.get(PATH, **query)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def positions(document: dict[str, Any]) -> list[int]:
    return [entry["position"] for entry in document["entries"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"patient_id": str(X)}, [5, 4, 3, 1]),
        ({"patient_id": str(X), "kind": "records.read"}, [4, 3, 1]),
        ({"patient_id": str(X), "from": "2025-06-01T00:00:00Z", "to": "2025-07-01T00:00:00Z"}, [1]),
        ({"user_id": "user_9"}, [4]),
        ({"kind": "patient.erased"}, [5]),
        ({"from": "2025-07-01T12:00:00Z", "to": "2025-07-02T12:00:00Z"}, [2]),
        ({"patient_id": str(uuid4())}, []),
    ],
)
async def test_each_filter_leaves_what_fits_the_newest_first(
    told: Admin, query: dict[str, str], found: list[int]
) -> None:
    document = await page(told, **query)
    assert positions(document) == found
    assert document["organization_id"] == "org_a"
    assert document["next_cursor"] is None


async def test_pages_follow_each_other_without_what_came_meanwhile(told: Admin) -> None:
    first = await page(told, limit=4)
    await told.receive(run("org_a", "completed"))
    second = await page(told, limit=4, cursor=first["next_cursor"])
    assert positions(first) + positions(second) == [6, 5, 4, 3, 2, 1]
    assert second["next_cursor"] is None


async def test_an_entry_says_who_whom_from_which_request_and_when(told: Admin) -> None:
    (entry,) = (await page(told, patient_id=str(X), to="2025-07-01T00:00:00Z"))["entries"]
    assert UUID(entry.pop("patient_ids")[0]) == X
    assert {len(entry.pop(name)) for name in ("hash", "previous")} == {64}
    assert entry.pop("recorded_at").endswith("Z")
    assert entry == {
        "position": 1,
        "kind": "records.read",
        "occurred_at": "2025-06-30T12:00:00.000Z",
        "request_id": None,
        "user_id": "user_1",
        "role": "member",
        "impersonator": "user_2",
        "other_patients": 0,
        "details": {"route": "/patients", "patient_count": 1},
    }


async def test_who_asks_for_a_patient_is_told_of_no_other_but_how_many_there_were(told: Admin) -> None:
    both = {"from": "2025-07-02T00:00:00Z", "to": "2025-07-03T00:00:00Z"}
    (entry,) = (await page(told, patient_id=str(X), **both))["entries"]
    assert (entry["patient_ids"], entry["other_patients"]) == ([str(X)], 1)
    (entry,) = (await page(told, **both))["entries"]
    assert (entry["patient_ids"], entry["other_patients"]) == ([str(X), str(Y)], 0)


async def test_one_request_says_who_read_a_patient_and_how_often_however_often_it_was(admin: Admin) -> None:
    whole_day = [NOON + timedelta(minutes=n) for n in range(300)]
    often = [read("org_a", X, Y, user_id="user_often", occurred_at=at) for at in whole_day]
    once = read("org_a", X, user_id="user_once", impersonator=None, occurred_at=NOON)
    await admin.receive_together([*often, once, read("org_a", Y)])
    asked = {"patient_id": str(X), "kind": "records.read"}
    first = await page(admin, **asked)
    assert len(first["entries"]) < 300
    assert first["by_user"] == [
        {
            "user_id": "user_often",
            "impersonator": "user_2",
            "entries": 300,
            "first_at": "2025-06-30T12:00:00.000Z",
            "last_at": "2025-06-30T16:59:00.000Z",
        },
        {
            "user_id": "user_once",
            "impersonator": None,
            "entries": 1,
            "first_at": "2025-06-30T12:00:00.000Z",
            "last_at": "2025-06-30T12:00:00.000Z",
        },
    ]
    assert (await page(admin, **asked, cursor=first["next_cursor"]))["by_user"] == first["by_user"]
    assert (await page(admin))["by_user"] is None


async def test_that_an_operator_looked_is_on_record_too(told: Admin) -> None:
    await page(told, patient_id=str(X), kind="records.read")
    newest, *_ = (await page(told))["entries"]
    assert newest["kind"] == "audit.read"
    assert (newest["user_id"], newest["role"], newest["request_id"]) == ("user_operator", "operator", SOME_REQUEST)
    assert newest["patient_ids"] == [str(X)]
    assert newest["details"] == {"limit": 50, "patient_id": str(X), "kind": "records.read"}


async def test_a_clinics_own_administrator_does_not_read_it(told: Admin) -> None:
    assert (await told.get(PATH, operator=False)).status_code == 403


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/api/v1/admin/audit/org_unknown", {}, 404),
        ("/api/v1/admin/audit/clinic", {}, 400),
        (PATH, {"limit": 201}, 400),
        (PATH, {"cursor": 0}, 400),
        (PATH, {"from": "2025-07-01T12:00:00"}, 400),
        (PATH, {"patient_id": "Ada"}, 400),
        (PATH, {"kind": "gossip"}, 400),
    ],
)
async def test_what_cannot_be_looked_up_is_refused(told: Admin, path: str, query: dict[str, Any], status: int) -> None:
    assert (await told.get(path, **query)).status_code == status


async def test_each_filter_has_its_index(admin: Admin, owner: asyncpg.Connection) -> None:
    """In a trail of some length PostgreSQL looks a patient up in the index of patients, and the rest in theirs."""
    await admin.receive_together([read("org_a", uuid4(), user_id=f"user_{n}") for n in range(2000)])
    await owner.execute("ANALYZE audit_entries")
    before = await used(owner)
    await page(admin, patient_id=str(X))
    await page(admin, user_id="user_1700")
    await page(admin, kind="patient.erased")
    await page(admin, **{"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"})
    async with asyncio.timeout(10):  # the figures are told at the end of a connection's work, at most once a second
        while set(INDEXES) - {name for name, scans in (await used(owner)).items() if scans > before[name]}:
            await admin.database.close()
            await asyncio.sleep(0.1)


async def used(owner: asyncpg.Connection) -> dict[str, int]:
    """How often each index was looked into."""
    rows = await owner.fetch("SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname = 'audit_entries'")
    return {row["indexrelname"]: row["idx_scan"] for row in rows}
