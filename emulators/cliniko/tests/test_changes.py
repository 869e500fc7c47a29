"""What may happen in the clinic while it is read: at once, or before a certain page."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

ANY = ["archived_at:*", "cancelled_at:*", "deleted_at:*"]
DIARY = "individual_appointments"


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def walk(steered: Any, path: str, **parameters: Any) -> list[str]:
    """The ids that page after page gives, in steps of ten."""
    key, number, ids = path.split("/")[0], 1, []
    while rows := steered.page(path, per_page=10, page=number, **parameters)[key]:
        ids += [row["id"] for row in rows]
        number += 1
    return ids


def test_a_record_erased_between_pages_makes_a_walk_skip_another(steered: Any) -> None:
    before = walk(steered, "patients")
    steered.order("change", path="patients", page=2, changes=[{"change": "erase", "id": before[3]}])
    seen = walk(steered, "patients")
    assert set(before) - set(seen) == {before[10]}, "the eleventh moved to the first page, which was read already"


def test_a_record_inserted_between_pages_with_an_old_time_makes_a_walk_see_another_twice(steered: Any) -> None:
    before = walk(steered, "patients")
    old = {"created_at": "2001-01-01T00:00:00Z", "updated_at": "2001-01-01T00:00:00Z"}
    steered.order("change", path="patients", page=3, changes=[{"change": "insert", "values": old}])
    seen = walk(steered, "patients")
    assert len(seen) == len(before) + 1
    assert [one for one in seen if seen.count(one) == 2] == [before[19]] * 2


def test_an_update_between_pages_moves_a_row_to_the_end_of_a_walk_by_update(steered: Any) -> None:
    before = walk(steered, "patients", sort="updated_at")
    change = {"change": "update", "id": before[0], "values": {"occupation": "Baker"}}
    steered.order("change", path="patients", page=2, changes=[change])
    seen = walk(steered, "patients", sort="updated_at")
    assert seen[-1] == seen[0] == before[0]
    assert before[10] not in seen


def test_several_changes_are_made_in_order_before_one_request_and_no_other(steered: Any) -> None:
    first, second = walk(steered, "patients")[:2]
    changes = [{"change": "archive", "id": first}, {"change": "merge", "id": second, "into": first}]
    steered.order("change", changes=changes, path="businesses")
    total = steered.page()["total_entries"]
    steered.page("businesses")
    assert steered.page()["total_entries"] == total - 2


@pytest.mark.parametrize(
    ("kind", "resource", "column"),
    [
        ("archive", "patients", "archived_at"),
        ("archive", DIARY, "archived_at"),
        ("cancel", DIARY, "cancelled_at"),
        ("delete", DIARY, "deleted_at"),
        ("archive", "group_appointments", "archived_at"),
        ("delete", "group_appointments", "deleted_at"),
        ("cancel", "attendees", "cancelled_at"),
        ("archive", "appointment_types", "archived_at"),
    ],
)
def test_a_record_leaves_the_list_and_keeps_the_moment(steered: Any, kind: str, resource: str, column: str) -> None:
    record, before = steered.page(resource)[resource][0], now()
    assert steered.change(kind, resource=resource, id=record["id"]) == [record["id"]]
    address = f"{resource}/{record['id']}"
    assert steered.api.get(address).status_code == 404
    left = steered.page(address, **{"q[]": f"{column}:*"})
    assert before <= left[column] == left["updated_at"] <= now()
    assert record["id"] in walk(steered, resource, **{"q[]": f"{column}:>={before}"})


def test_an_archived_patient_comes_back(steered: Any) -> None:
    (patient,) = steered.change("archive", at="2024-05-05T05:05:05Z")
    assert steered.page(f"patients/{patient}", **{"q[]": "archived_at:*"})["archived_at"] == "2024-05-05T05:05:05Z"
    steered.change("unarchive", id=patient)
    assert steered.page(f"patients/{patient}")["archived_at"] is None


def test_an_erased_appointment_is_not_found_with_every_wildcard(steered: Any) -> None:
    (gone,) = steered.change("erase", resource=DIARY)
    for filters in ([], ANY):
        answer = steered.api.get(f"{DIARY}/{gone}", params={"q[]": filters})
        assert (answer.status_code, answer.json()) == (404, {"status": "404", "error": "Not Found"})
    assert gone not in walk(steered, DIARY, **{"q[]": ANY})


def test_an_erased_patient_stays_in_the_old_list_and_leaves_orphans(steered: Any) -> None:
    before, patient = now(), steered.page(DIARY)[DIARY][0]["patient"]["links"]["self"].rsplit("/", 1)[1]
    steered.change("erase", id=patient)
    (row,) = steered.page("patients/deleted", **{"q[]": f"deleted_at:>={before}"})["patients"]
    address = f"{steered.api.base_url}patients/{patient}"
    assert row == {"id": patient, "deleted_at": row["deleted_at"], "links": {"self": address}}
    orphans = steered.page(DIARY, **{"q[]": [f"patient_id:={patient}", *ANY]})[DIARY]
    assert orphans
    assert all(one["patient_name"] is None for one in orphans)
    steered.change("erase", trace=False)
    assert steered.page("patients/deleted")["total_entries"] == 1


def test_a_merge_archives_the_loser_and_moves_what_it_had(steered: Any) -> None:
    loser = steered.page(DIARY)[DIARY][0]["patient"]["links"]["self"].rsplit("/", 1)[1]
    winner = next(one for one in walk(steered, "patients") if one != loser)
    had = walk(steered, DIARY, **{"q[]": [f"patient_id:={loser}", *ANY]})
    steered.change("merge", id=loser, into=winner)
    left = steered.page(f"patients/{loser}", **{"q[]": "archived_at:*"})
    assert left["archived_at"] == left["merged_at"]
    assert left["merged_with_patient"]["links"]["self"].endswith(f"/patients/{winner}")
    assert "merged_with_patient" not in steered.page(f"patients/{winner}")
    assert set(had) <= set(walk(steered, DIARY, **{"q[]": [f"patient_id:={winner}", *ANY]}))
    assert not walk(steered, DIARY, **{"q[]": [f"patient_id:={loser}", *ANY]})


def test_more_than_a_thousand_rows_share_a_second_and_hide_its_fractions(steered: Any) -> None:
    steered.change("insert", count=1200)
    stamp = {"updated_at": "2026-02-02T02:02:02.750Z"}
    assert len(steered.change("update", q=["first_name:!?"], count=1200, values=stamp)) == 1200
    second = "2026-02-02T02:02:02"

    def total(*conditions: str) -> int:
        return int(steered.page(**{"q[]": conditions})["total_entries"])

    within = f"updated_at:<={second}.999Z"
    assert steered.page(**{"q[]": within, "sort": "updated_at:desc"})["patients"][0]["updated_at"] == f"{second}Z"
    assert total(f"updated_at:>{second}Z", within) == 1200, "a cursor on the truncated second meets them again"
    assert total(f"updated_at:>={second}.75Z", within) == 1200
    assert total(f"updated_at:>{second}.75Z", within) == 0


def test_a_late_commit_bears_an_older_time_than_rows_seen_before_it(steered: Any) -> None:
    first, second = walk(steered, "patients")[:2]
    assert steered.change("update", id=first, values={"occupation": "Late"}, after_seconds=0.3) == []
    time.sleep(0.1)
    steered.change("update", id=second, values={"occupation": "Early"})
    newest = {"sort": "updated_at:desc", "per_page": 1}
    assert steered.page(**newest)["patients"][0]["id"] == second
    time.sleep(0.5)
    assert steered.page(f"patients/{first}")["occupation"] == "Late"
    assert steered.page(**newest)["patients"][0]["id"] == second


def test_records_are_chosen_as_a_list_finds_them(steered: Any) -> None:
    ids = walk(steered, "patients", sort="id:desc", **{"q[]": "email:?"})
    assert steered.change("archive", q=["email:?"], sort="id:desc", count=3) == ids[:3]
    assert steered.change("archive", ids=ids[5:7]) == ids[5:7]
    rest = {*ids[3:5], *ids[7:]}
    assert set(steered.change("archive", q=["email:?"], count=0)) == rest
    assert walk(steered, "patients", **{"q[]": "email:?"}) == []


def test_control_characters_and_odd_text_pass_unharmed(steered: Any) -> None:
    odd = 'a\u0000b\u0001"\\%s # {} \u2028 مثال 🌻'
    (patient,) = steered.change("update", values={"first_name": odd, "notes": "x" * 50_000})
    served = steered.page(f"patients/{patient}")
    assert (served["first_name"], len(served["notes"])) == (odd, 50_000)


def test_a_renamed_patient_is_renamed_in_the_diary(steered: Any) -> None:
    appointment = steered.page(DIARY)[DIARY][0]
    patient = appointment["patient"]["links"]["self"].rsplit("/", 1)[1]
    steered.change("update", id=patient, values={"first_name": "Grace", "last_name": "Renamed"})
    assert steered.page(f"{DIARY}/{appointment['id']}")["patient_name"] == "Grace Renamed"


def test_a_revoked_key_is_refused_in_the_middle_of_a_walk(steered: Any) -> None:
    steered.order("change", path="patients", page=2, changes=[{"change": "revoke_key"}])
    statuses = [steered.api.get("patients", params={"page": page}).status_code for page in (1, 2, 1)]
    assert statuses == [200, 401, 401]


def test_two_keys_of_one_user_share_the_limit_and_fall_one_by_one(steered: Any) -> None:
    steered.change("add_key", key="MS0-second-au4")
    steered.control.patch("/settings", json={"rate_limit": 4}).raise_for_status()
    second = ("MS0-second-au4", "")
    assert [steered.api.get("user").status_code for _ in range(2)] == [200, 200]
    assert [steered.api.get("user", auth=second).status_code for _ in range(3)] == [200, 200, 429]
    steered.change("revoke_key", key="MS0-second-au4")
    assert steered.api.get("user", auth=second).status_code == 401
    assert steered.api.get("user").status_code == 429


def test_a_clinic_that_moves_is_found_at_its_new_shard_only(steered: Any) -> None:
    steered.change("move", shard="uk2")
    assert steered.api.get("user").status_code == 401
    there = str(steered.api.base_url).replace("/au4/", "/uk2/")
    assert steered.api.get(f"{there}user", auth=("MS0-own-uk2", "")).status_code == 200
    assert steered.api.get(f"{there}user", auth=("MS0-own", "")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "values"),
    [("archive", None), ("phones", {"patient_phone_numbers": []}), ("update", {"occupation": "Baker"})],
)
def test_a_change_may_leave_the_time_of_the_last_update_alone(
    steered: Any, kind: str, values: dict[str, Any] | None
) -> None:
    patient = steered.page()["patients"][0]
    steered.switch(quiet_changes=[kind])
    steered.change("update" if values else kind, id=patient["id"], **({"values": values} if values else {}))
    left = steered.page(f"patients/{patient['id']}", **{"q[]": "archived_at:*"})
    assert left["updated_at"] == patient["updated_at"]
    assert left != patient


@pytest.mark.parametrize(
    "order",
    [
        {"change": "explode"},
        {"change": "update"},
        {"change": "update", "values": {"id": "7"}},
        {"change": "archive", "resource": "invoices"},
        {"change": "archive", "clinic": "MS0-nobody-au4"},
        {"change": "archive", "id": "seven"},
        {"change": "archive", "at": "yesterday"},
        {"change": "insert", "resource": DIARY},
        {"change": "merge"},
        {"change": "move"},
    ],
)
def test_a_change_that_cannot_be_is_refused(steered: Any, order: dict[str, Any]) -> None:
    before = steered.page()
    assert steered.control.post("/changes", json=order).status_code == 422
    assert steered.page() == before
