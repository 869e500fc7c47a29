"""Group appointments, their attendees, and the list of all bookings."""

from typing import Any

import httpx


def every(client: httpx.Client, resource: str, *filters: str) -> list[dict[str, Any]]:
    answer = client.get(f"/{resource}", params={"q[]": filters, "per_page": 100}).raise_for_status().json()
    found: list[dict[str, Any]] = answer[resource]
    while url := answer["links"].get("next"):
        answer = client.get(url).raise_for_status().json()
        found += answer[resource]
    return found


def test_a_group_appointment_has_the_documented_shape(harbour: httpx.Client) -> None:
    group = every(harbour, "group_appointments")[-1]
    assert group["max_attendees"] > 1
    assert all(isinstance(one, str) for one in group["patient_ids"])
    assert not {"cancelled_at", "patient", "patient_name", "did_not_arrive"} & group.keys()
    assert group["attendees"]["links"]["self"] == f"{group['links']['self']}/attendees"


def test_each_patient_of_a_group_is_one_attendee(harbour: httpx.Client) -> None:
    groups = every(harbour, "group_appointments", "archived_at:*", "deleted_at:*")
    attendees = every(harbour, "attendees", "archived_at:*", "cancelled_at:*", "deleted_at:*")
    assert attendees
    pairs = {
        tuple(one[name]["links"]["self"].rsplit("/", 1)[1] for name in ("booking", "patient")) for one in attendees
    }
    assert pairs == {(group["id"], patient) for group in groups for patient in group["patient_ids"]}
    assert [] in [group["patient_ids"] for group in groups], "a group nobody attends"


def test_a_group_s_attendees_are_found_below_it_and_by_filter(harbour: httpx.Client) -> None:
    group = next(one for one in every(harbour, "group_appointments") if one["patient_ids"])
    below = harbour.get(group["attendees"]["links"]["self"], params={"q[]": "cancelled_at:*"}).json()["attendees"]
    assert len(below) == len(group["patient_ids"])
    for column in ("booking_id", "appointment_id"):
        assert every(harbour, "attendees", f"{column}:={group['id']}", "cancelled_at:*") == below
    assert group in every(harbour, "group_appointments", f"patient_ids:~{group['patient_ids'][0]}")


def test_individual_appointments_may_be_given_attendees(steered: Any) -> None:
    diary = "individual_appointments"
    total = steered.page(diary)["total_entries"]
    assert len(steered.change("attend", resource=diary, count=0)) == total
    appointment = steered.page(diary)[diary][0]
    (attendee,) = steered.page(f"{diary}/{appointment['id']}/attendees")["attendees"]
    assert attendee["patient"] == appointment["patient"]
    assert attendee["updated_at"] == appointment["updated_at"]


def test_bookings_hold_every_kind_with_an_own_link(harbour: httpx.Client) -> None:
    wildcards = ("archived_at:*", "deleted_at:*")
    bookings = {one["id"]: one for one in every(harbour, "bookings", *wildcards, "cancelled_at:*")}
    individual = every(harbour, "individual_appointments", *wildcards, "cancelled_at:*")
    group = every(harbour, "group_appointments", *wildcards)
    blocks = every(harbour, "unavailable_blocks", *wildcards)
    assert blocks
    assert len(bookings) == len(individual) + len(group) + len(blocks)
    for one in (*individual[:20], *group, *blocks):
        links = {"self": f"{harbour.base_url}bookings/{one['id']}"}
        assert bookings[one["id"]] == one | {"links": links}
    assert harbour.get(f"/bookings/{blocks[0]['id']}").json() == bookings[blocks[0]["id"]]


def test_bookings_follow_what_changes(steered: Any) -> None:
    total = steered.page("bookings")["total_entries"]
    steered.change("erase", resource="unavailable_blocks")
    steered.change("cancel", resource="individual_appointments")
    assert steered.page("bookings")["total_entries"] == total - 2
