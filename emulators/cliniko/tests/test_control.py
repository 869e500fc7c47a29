from datetime import UTC, datetime

import httpx
import pytest


def first(client: httpx.Client, resource: str) -> dict[str, str]:
    record: dict[str, str] = client.get(f"/au4/v1/{resource}").json()[resource][0]
    return record


def test_health_names_the_clinics(own: httpx.Client) -> None:
    assert own.get("/_control/health").json() == {"status": "healthy", "clinics": [{"shard": "au4", "patients": 40}]}


def test_a_changed_patient_is_served_and_stamped_at_once(own: httpx.Client) -> None:
    patient = first(own, "patients")
    before = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    phone = {"phone_type": "Mobile", "number": "0491 570 006", "normalized_number": "61491570006"}
    changes = {"first_name": "Grace", "patient_phone_numbers": [phone], "email": None}
    own.patch(f"/_control/au4/patients/{patient['id']}", json=changes).raise_for_status()
    served = own.get(f"/au4/v1/patients/{patient['id']}").json()
    assert {name: served[name] for name in changes} == changes
    assert served["updated_at"] >= before
    assert own.get("/au4/v1/patients", params={"q[]": f"updated_at:>={before}"}).json()["patients"] == [served]


def test_a_change_may_set_its_own_time_and_take_a_record_out_of_the_list(own: httpx.Client) -> None:
    patient, total = first(own, "patients"), own.get("/au4/v1/patients").json()["total_entries"]
    times = {"archived_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-02T00:00:00Z"}
    own.patch(f"/_control/au4/patients/{patient['id']}", json=times).raise_for_status()
    assert own.get("/au4/v1/patients").json()["total_entries"] == total - 1
    archived = own.get(f"/au4/v1/patients/{patient['id']}", params={"q[]": "archived_at:*"}).json()
    assert {name: archived[name] for name in times} == times


def test_an_added_appointment_is_the_last_of_the_list(own: httpx.Client) -> None:
    patient = first(own, "patients")
    added = own.post(
        "/_control/au4/individual_appointments",
        json={"patient_id": patient["id"], "starts_at": "2030-01-01T09:00:00Z", "notes": "Bring the brace."},
    )
    assert added.status_code == 201
    found = own.get("/au4/v1/individual_appointments", params={"sort": "created_at:desc", "per_page": 1}).json()
    assert found["individual_appointments"] == [added.json()]
    assert added.json()["ends_at"] == "2030-01-01T09:30:00Z"
    assert added.json()["patient"] == {"links": {"self": f"{own.base_url}/au4/v1/patients/{patient['id']}"}}


def test_an_added_patient_keeps_the_identity_it_is_given(own: httpx.Client) -> None:
    given = {"id": "12345678", "first_name": "Ada", "created_at": "2020-01-01T00:00:00Z"}
    own.post("/_control/au4/patients", json=given).raise_for_status()
    served = own.get("/au4/v1/patients/12345678").json()
    assert {name: served[name] for name in given} == given


def test_an_id_never_changes(own: httpx.Client) -> None:
    patient = first(own, "patients")
    assert own.patch(f"/_control/au4/patients/{patient['id']}", json={"id": "7"}).status_code == 422
    assert own.get(f"/au4/v1/patients/{patient['id']}").json() == patient


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/_control/au4/individual_appointments", {}, 422),
        ("POST", "/_control/au4/patients", {"shoe_size": 44}, 422),
        ("POST", "/_control/au4/patients", {"archived_at": "yesterday"}, 422),
        ("POST", "/_control/au4/patients", {"archived_at": "2024-01-01T00:00:00"}, 422),
        ("POST", "/_control/au4/patients", [], 422),
        (
            "POST",
            "/_control/au4/individual_appointments",
            {"starts_at": "2030-01-01T09:00:00Z", "patient_id": "x"},
            422,
        ),
        ("POST", "/_control/au4/patients", {"patient_phone_numbers": "0491 570 006"}, 422),
        ("POST", "/_control/au4/businesses", {"business_name": "Annexe", "appointment_type_ids": "1"}, 422),
        ("PATCH", "/_control/au4/patients/1", {}, 404),
        ("POST", "/_control/uk9/patients", {}, 404),
        ("POST", "/_control/au4/invoices", {}, 404),
    ],
)
def test_what_does_not_fit_is_refused(own: httpx.Client, method: str, path: str, body: object, status: int) -> None:
    assert own.request(method, path, json=body).status_code == status
