from typing import Any

import httpx
import pytest

ANY = {
    "patients": ("archived_at",),
    "individual_appointments": ("archived_at", "cancelled_at", "deleted_at"),
    "appointment_types": ("archived_at",),
}
CASES = [(resource, column) for resource, columns in ANY.items() for column in columns]


def hidden(client: httpx.Client, resource: str, column: str) -> list[dict[str, Any]]:
    lifted = [f"{other}:*" for other in ANY[resource] if other != column]
    answer = client.get(f"/{resource}", params={"q[]": [f"{column}:?", *lifted], "per_page": 100})
    records: list[dict[str, Any]] = answer.raise_for_status().json()[resource]
    assert records, "the clinic has none, so nothing is tried"
    return records


@pytest.mark.parametrize(("resource", "column"), CASES)
def test_a_list_leaves_hidden_rows_out_until_the_column_is_named(
    harbour: httpx.Client, resource: str, column: str
) -> None:
    def total(*filters: str) -> int:
        count: int = harbour.get(f"/{resource}", params={"q[]": filters}).raise_for_status().json()["total_entries"]
        return count

    others = [f"{other}:*" for other in ANY[resource] if other != column]
    shown, lifted, only = total(*others), total(f"{column}:*", *others), total(f"{column}:?", *others)
    assert only > 0
    assert shown + only == lifted
    assert total(f"{column}:!?", *others) == shown
    assert total(f"{column}:>2001-01-01T00:00:00Z", *others) == only


@pytest.mark.parametrize(("resource", "column"), CASES)
def test_a_hidden_record_is_found_by_id_only_with_its_column_named(
    harbour: httpx.Client, resource: str, column: str
) -> None:
    record = next(
        one for one in hidden(harbour, resource, column) if all(not one[c] for c in ANY[resource] if c != column)
    )
    path = f"/{resource}/{record['id']}"
    refused = harbour.get(path)
    assert (refused.status_code, refused.json()) == (404, {"status": "404", "error": "Not Found"})
    assert harbour.get(path, params={"q[]": f"{column}:*"}).json() == record


def test_a_record_by_id_is_the_one_in_the_list(harbour: httpx.Client) -> None:
    for resource in ("patients", "individual_appointments", "appointment_types", "practitioners", "businesses"):
        for record in harbour.get(f"/{resource}").json()[resource][:3]:
            assert harbour.get(record["links"]["self"]).json() == record


def test_a_record_by_id_filters_by_hiding_columns_only(harbour: httpx.Client) -> None:
    patient = harbour.get("/patients").json()["patients"][0]
    answer = harbour.get(f"/patients/{patient['id']}", params={"q[]": "updated_at:?"})
    assert (answer.status_code, answer.json()) == (400, {"message": "updated_at is not filterable"})


def test_an_inactive_practitioner_is_found_by_id(harbour: httpx.Client) -> None:
    left = harbour.get("/practitioners/inactive").json()["practitioners"][0]
    assert harbour.get(f"/practitioners/{left['id']}").json() == left
