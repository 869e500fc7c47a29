"""Group appointments, read with the real client from a server that keeps a few of them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sync.adapters.accounts import Accounts
from sync.adapters.cliniko import Cliniko
from sync.domain.groups import attended, booking_of, joined
from sync.domain.mapping import map_page
from sync.handlers.groups import attendances_for, attendances_of

CREATED, CHANGED, LATER = "2025-01-01T09:00:00Z", "2025-06-01T12:00:00Z", "2025-06-02T12:00:00Z"
Lists = dict[str, list[dict[str, Any]]]


def link(to: str) -> dict[str, Any]:
    return {"links": {"self": f"https://api.au4.cliniko.com/v1/{to}"}}


def group(number: int, **columns: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "created_at": CREATED,
        "updated_at": CHANGED,
        "starts_at": "2025-07-02T10:00:00Z",
        "ends_at": "2025-07-02T11:00:00Z",
        "appointment_type": link("appointment_types/7"),
        "practitioner": link("practitioners/8"),
        "notes": "Bring a mat",
        **columns,
    }


def attendee(number: int, of: str, **columns: Any) -> dict[str, Any]:
    times = {"created_at": CREATED, "updated_at": CHANGED}
    return {"id": str(number), "booking": link(of), "patient": link("patients/1"), **times, **columns}


@pytest.fixture
async def clinic(scripted: Any, answer: Callable[..., bytes]) -> AsyncIterator[Callable[..., Cliniko]]:
    """Makes a clinic of these lists; `id:=` and `booking_id:=` filter them, pages are `size` rows."""
    accounts = Accounts(scripted.template, "test@routiq.example")

    def of(lists: Lists, claimed: int | None = None) -> Cliniko:
        def page(asked: Any) -> bytes:
            name = asked.path.rpartition("/")[2]
            column, _, ids = next(q for q in asked.query["q[]"] if ":=" in q).partition(":=")
            rows = [row for row in lists[name] if _column(row, column) in ids.split(",")]
            first = (asked.number - 1) * asked.size
            shown = rows[first : first + asked.size]
            total = claimed if claimed is not None else len(rows)
            return answer(200, {name: shown, "total_entries": total, "links": {}})

        scripted.answers = page
        return accounts.open("MS0-key-au4")

    yield of
    await accounts.close()


def _column(row: dict[str, Any], column: str) -> str:
    booking = booking_of(row)
    return str(row["id"]) if column == "id" or booking is None else booking.id


def test_an_attendees_appointment_has_the_groups_time_and_its_own_state() -> None:
    own = {"arrived": True, "cancelled_at": LATER, "archived_at": CHANGED, "notes": "Knee"}
    record = attended(joined(attendee(20, "bookings/10", **own), group(10, archived_at=None)))
    assert (record.cliniko_appointment_id, record.cliniko_patient_id) == ("20", "1")
    assert (record.appointment_type_id, record.practitioner_id) == ("7", "8")
    assert record.model_dump(mode="json", include={"starts_at", "ends_at", "cancelled_at", "archived_at"}) == {
        "starts_at": "2025-07-02T10:00:00Z",
        "ends_at": "2025-07-02T11:00:00Z",
        "cancelled_at": LATER,
        "archived_at": CHANGED,
    }
    assert (record.notes, record.patient_arrived, record.did_not_arrive) == ("Knee", True, False)


@pytest.mark.parametrize("blank", [{}, {"notes": None}, {"notes": ""}])
def test_without_a_note_of_its_own_it_has_the_groups(blank: dict[str, Any]) -> None:
    assert attended(joined(attendee(20, "bookings/10", **blank), group(10))).notes == "Bring a mat"


def test_an_archived_group_does_not_archive_its_attendees_but_a_deleted_one_deletes_them() -> None:
    record = attended(joined(attendee(20, "bookings/10"), group(10, archived_at=LATER, deleted_at=LATER)))
    assert record.archived_at is None
    assert record.deleted_at is not None


@pytest.mark.parametrize(("of_group", "of_attendee"), [(LATER, CHANGED), (CHANGED, LATER)])
def test_its_version_is_the_later_change_of_the_two(of_group: str, of_attendee: str) -> None:
    row = joined(attendee(20, "bookings/10", updated_at=of_attendee), group(10, updated_at=of_group))
    assert attended(row).model_dump(mode="json")["updated_at"] == LATER


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (joined(attendee(20, "bookings/10"), None), "GroupMissing"),
        (joined(attendee(20, "bookings/10", patient={}), group(10)), "cliniko_patient_id: string_type"),
        (joined(attendee(20, "bookings/10"), group(10, starts_at=None)), "starts_at: datetime_type"),
        (joined(attendee(20, "bookings/10"), group(10, updated_at="Canary")), "updated_at: datetime_from_date_parsing"),
    ],
)
def test_an_attendee_that_makes_no_appointment_is_set_aside(row: dict[str, Any], reason: str) -> None:
    mapped, (rejected,) = map_page([row], attended)
    assert (mapped, rejected.cliniko_id, rejected.reason) == ([], "20", reason)


@pytest.mark.parametrize(
    "booking", [None, {}, {"links": {}}, {"links": {"self": "10"}}, link("bookings/ten"), "bookings/10", ["10"]]
)
def test_a_booking_that_is_not_told_is_none(booking: Any) -> None:
    assert booking_of({"id": "1", "booking": booking}) is None


async def test_a_page_of_groups_brings_all_its_attendees_over_several_pages(
    scripted: Any, clinic: Callable[..., Cliniko]
) -> None:
    attendees = [attendee(1000 + n, f"bookings/{n % 3}") for n in range(320)]
    found = await attendances_of([group(0), group(1)], clinic({"attendees": attendees}))
    expected = {row["id"] for row in attendees if not row["booking"]["links"]["self"].endswith("/2")}
    assert {row["id"] for row in found.rows} == expected
    assert found.complete
    assert [asked.query["q[]"] for asked in scripted.asked] == [
        ["booking_id:=0,1", "archived_at:*", "cancelled_at:*", "deleted_at:*"]
    ] * 3
    mapped, rejected = map_page(found.rows, attended)
    assert (len(mapped), rejected) == (len(expected), [])


async def test_groups_without_attendees_and_no_groups_at_all_are_complete(
    scripted: Any, clinic: Callable[..., Cliniko]
) -> None:
    nobody = clinic({"attendees": []})
    for groups in ([group(1)], []):
        found = await attendances_of(groups, nobody)
        assert (found.rows, found.complete) == ([], True)
    assert len(scripted.asked) == 1


async def test_a_count_that_the_rows_do_not_reach_is_read_again_and_then_told(
    scripted: Any, clinic: Callable[..., Cliniko]
) -> None:
    liar = clinic({"attendees": [attendee(20, "bookings/1")]}, claimed=5)
    found = await attendances_of([group(1)], liar)
    assert ([row["id"] for row in found.rows], found.complete) == (["20"], False)


async def test_a_group_without_an_id_proves_nothing(clinic: Callable[..., Cliniko]) -> None:
    found = await attendances_of([group(1), {"id": None}], clinic({"attendees": []}))
    assert not found.complete


async def test_changed_attendees_bring_their_groups_and_those_of_individual_appointments_are_left_out(
    scripted: Any, clinic: Callable[..., Cliniko]
) -> None:
    changed = [
        attendee(20, "bookings/10"),
        attendee(21, "group_appointments/11"),
        attendee(22, "individual_appointments/12"),
        attendee(23, "bookings/13"),
    ]
    found = await attendances_for(changed, clinic({"group_appointments": [group(10), group(11), group(12)]}))
    assert {row["id"] for row in found.rows} == {"20", "21"}
    (asked,) = scripted.asked
    assert asked.query["q[]"] == ["id:=10,11,13", "archived_at:*", "deleted_at:*"]


async def test_an_attendee_whose_group_is_gone_or_untold_is_set_aside(clinic: Callable[..., Cliniko]) -> None:
    changed = [attendee(21, "group_appointments/11"), {**attendee(22, ""), "booking": {}}]
    found = await attendances_for(changed, clinic({"group_appointments": []}))
    _, rejected = map_page(found.rows, attended)
    assert [(one.cliniko_id, one.reason) for one in rejected] == [("21", "GroupMissing"), ("22", "GroupMissing")]


async def test_attendees_of_individual_appointments_alone_cost_no_request(
    scripted: Any, clinic: Callable[..., Cliniko]
) -> None:
    found = await attendances_for([attendee(22, "individual_appointments/12")], clinic({}))
    assert (found.rows, found.complete, scripted.asked) == ([], True, [])
