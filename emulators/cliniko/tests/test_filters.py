from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cliniko_emulator.filters import Kind, QueryError, parse
from cliniko_emulator.resources import RESOURCES

Record = dict[str, Any]
ANY_APPOINTMENT = ("archived_at:*", "cancelled_at:*", "deleted_at:*")
HALF_A_YEAR_AGO = f"{datetime.now(UTC) - timedelta(days=180):%Y-%m-%dT00:00:00Z}"


def walk(client: httpx.Client, resource: str, *filters: str) -> list[Record]:
    answer = client.get(f"/{resource}", params={"q[]": filters, "per_page": 100}).raise_for_status().json()
    found: list[Record] = answer[resource]
    while url := answer["links"].get("next"):
        answer = client.get(url).raise_for_status().json()
        found += answer[resource]
    return found


def linked(record: Record, relation: str) -> str | None:
    url: str | None = record.get(relation, {}).get("links", {}).get("self")
    return url and url.rsplit("/", 1)[1]


# Words in braces are filled with the values of one appointment from the middle of the list.
APPOINTMENT_FILTERS: list[tuple[str, Callable[[Record, str], bool]]] = [
    ("starts_at:>{starts_at}", lambda one, value: one["starts_at"] > value),
    ("starts_at:>={starts_at}", lambda one, value: one["starts_at"] >= value),
    ("starts_at:<{starts_at}", lambda one, value: one["starts_at"] < value),
    ("starts_at:<={starts_at}", lambda one, value: one["starts_at"] <= value),
    ("cancelled_at:?", lambda one, _: one["cancelled_at"] is not None),
    ("cancelled_at:!?", lambda one, _: one["cancelled_at"] is None),
    ("id:={id}", lambda one, value: one["id"] == value),
    ("id:!={id}", lambda one, value: one["id"] != value),
    ("id:>{id}", lambda one, value: int(one["id"]) > int(value)),
    ("id:>={id}", lambda one, value: int(one["id"]) >= int(value)),
    ("id:<{id}", lambda one, value: int(one["id"]) < int(value)),
    ("id:<={id}", lambda one, value: int(one["id"]) <= int(value)),
    ("patient_id:={patient}", lambda one, value: linked(one, "patient") == value),
    ("practitioner_id:!={practitioner}", lambda one, value: linked(one, "practitioner") not in {value, None}),
    ("practitioner_id:?", lambda one, _: linked(one, "practitioner") is not None),
    ("appointment_type_id:!?", lambda one, _: linked(one, "appointment_type") is None),
    ("did_not_arrive:=true", lambda one, _: one["did_not_arrive"] is True),
    ("did_not_arrive:!=true", lambda one, _: one["did_not_arrive"] is False),
]


@pytest.mark.parametrize(("template", "meets"), APPOINTMENT_FILTERS, ids=[one for one, _ in APPOINTMENT_FILTERS])
def test_a_filter_gives_exactly_the_appointments_that_meet_it(
    harbour: httpx.Client, template: str, meets: Callable[[Record, str], bool]
) -> None:
    everything = walk(harbour, "individual_appointments", *ANY_APPOINTMENT)
    sample = next(one for one in everything[len(everything) // 2 :] if linked(one, "practitioner"))
    values = {"starts_at": sample["starts_at"], "id": sample["id"]}
    values |= {name: linked(sample, name) or "" for name in ("patient", "practitioner")}
    column = template.partition(":")[0]
    lifted = [one for one in ANY_APPOINTMENT if not one.startswith(column)]
    value = next((values[name] for name in values if f"{{{name}}}" in template), "")

    found = walk(harbour, "individual_appointments", template.format(**values), *lifted)

    expected = {one["id"] for one in everything if meets(one, value)}
    assert {one["id"] for one in found} == expected
    assert 0 < len(expected) < len(everything)


PATIENT_FILTERS: list[tuple[str, Callable[[Record], bool]]] = [
    ("first_name:=Zoë 🌻", lambda one: one["first_name"] == "Zoë 🌻"),
    ("first_name:!=Zoë 🌻", lambda one: one["first_name"] not in {"Zoë 🌻", None}),
    ("last_name:~SON", lambda one: "son" in (one["last_name"] or "").lower()),
    ("last_name:~~s%n", lambda one: (name := (one["last_name"] or "").lower()).startswith("s") and name.endswith("n")),
    ("email:?", lambda one: one["email"] is not None),
    ("email:!?", lambda one: one["email"] is None),
    ("email:=", lambda one: one["email"] == ""),
    ("date_of_birth:=2000-02-29", lambda one: one["date_of_birth"] == "2000-02-29"),
    ("date_of_birth:=****-05-**", lambda one: (one["date_of_birth"] or "")[4:8] == "-05-"),
    ("date_of_birth:>=1990-01-01", lambda one: (one["date_of_birth"] or "") >= "1990-01-01"),
    ("date_of_birth:<1950-01-01", lambda one: (one["date_of_birth"] or "9") < "1950-01-01"),
    ("date_of_birth:!?", lambda one: one["date_of_birth"] is None),
    ("accepted_privacy_policy:=true", lambda one: one["accepted_privacy_policy"] is True),
    ("accepted_privacy_policy:!=true", lambda one: one["accepted_privacy_policy"] is False),
    (f"updated_at:>={HALF_A_YEAR_AGO}", lambda one: one["updated_at"] >= HALF_A_YEAR_AGO),
]


@pytest.mark.parametrize(("text", "meets"), PATIENT_FILTERS, ids=[one for one, _ in PATIENT_FILTERS])
def test_a_filter_gives_exactly_the_patients_that_meet_it(
    harbour: httpx.Client, text: str, meets: Callable[[Record], bool]
) -> None:
    everything = walk(harbour, "patients")
    expected = {one["id"] for one in everything if meets(one)}
    assert {one["id"] for one in walk(harbour, "patients", text)} == expected
    assert 0 < len(expected) < len(everything)


def test_two_conditions_on_one_column_make_a_range(harbour: httpx.Client) -> None:
    everything = [one["created_at"] for one in walk(harbour, "patients")]
    first, last = everything[100], everything[200]
    found = [one["created_at"] for one in walk(harbour, "patients", f"created_at:>={first}", f"created_at:<{last}")]
    assert found == [one for one in everything if first <= one < last]
    assert found


def test_a_comma_list_names_several_ids(harbour: httpx.Client) -> None:
    ids = [one["id"] for one in walk(harbour, "patients")][::10]
    assert [one["id"] for one in walk(harbour, "patients", f"id:={','.join(ids)}")] == ids


def test_an_array_is_filtered_by_one_member(harbour: httpx.Client) -> None:
    business = walk(harbour, "businesses")[0]
    member = business["appointment_type_ids"][0]
    assert business in walk(harbour, "businesses", f"appointment_type_ids:~{member}")
    assert walk(harbour, "businesses", "appointment_type_ids:~1") == []


def test_fractions_of_a_second_are_understood(harbour: httpx.Client) -> None:
    patient = walk(harbour, "patients")[0]
    second = patient["created_at"].removesuffix("Z")
    assert patient in walk(harbour, "patients", f"created_at:>{second[:-1]}0.000Z", f"created_at:<={second}.5Z")
    assert patient not in walk(harbour, "patients", f"created_at:>={second}.5Z")


def test_of_a_bare_q_repeated_only_the_last_counts(harbour: httpx.Client) -> None:
    first, second = (one["id"] for one in walk(harbour, "patients")[:2])
    answer = harbour.get("/patients", params={"q": [f"id:={first}", f"id:={second}"]}).json()
    assert [one["id"] for one in answer["patients"]] == [second]


def test_unknown_parameters_are_ignored(harbour: httpx.Client) -> None:
    plain = harbour.get("/patients").json()["total_entries"]
    assert harbour.get("/patients", params={"practitioner_id": "1", "q[x]": "id:=1"}).json()["total_entries"] == plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("phone:=1", "phone is not filterable"),
        ("deleted_at:*", "deleted_at is not filterable"),
        ("id:=abc", "Filter value for id must be a number"),
        ("id:=1,,2", "Filter value for id must be a number"),
        ("updated_at:>2024-01-01", "Timestamp needs to be in UTC format."),
        ("updated_at:>2024-01-01T00:00:00", "Timestamp needs to be in UTC format."),
        ("updated_at:>2024-01-01T00:00:00+10:00", "Timestamp needs to be in UTC format."),
        ("updated_at:>2024-13-01T00:00:00Z", "Timestamp needs to be in UTC format."),
        ("updated_at:=2024-01-01T00:00:00Z", "Filter operator for updated_at is not supported"),
        ("accepted_privacy_policy:=maybe", "Filter value for accepted_privacy_policy must be true or false"),
        ("date_of_birth:=yesterday", "Filter value for date_of_birth must be a date"),
        ("first_name", "Filter operator for first_name is not supported"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused(harbour: httpx.Client, text: str, message: str) -> None:
    answer = harbour.get("/patients", params={"q[]": text})
    assert (answer.status_code, answer.json()) == (400, {"message": message})


@pytest.mark.parametrize("sort", ["nonsense", "phone:asc", "created_at:up", "created_at,", "id:asc,nonsense"])
def test_an_unknown_sort_column_is_refused(harbour: httpx.Client, sort: str) -> None:
    answer = harbour.get("/patients", params={"sort": sort})
    assert (answer.status_code, answer.json()) == (400, {"message": "Sort parameter must be a valid column name"})


VALUES = {
    Kind.DATE: "2024-02-29",
    Kind.DATETIME: "2024-02-29T00:00:00Z",
    Kind.INTEGER: "1",
    Kind.STRING: "a",
    Kind.BOOLEAN: "true",
    Kind.ARRAY: "1",
}


@pytest.mark.parametrize("kind", Kind)
def test_a_column_takes_the_operators_of_its_type_and_no_other(kind: Kind) -> None:
    for operator in ("=", "!=", ">", ">=", "<", "<=", "~", "~~", "?", "!?", "*"):
        value = "" if operator in {"?", "!?", "*"} else VALUES[kind]
        if operator in kind.value:
            assert parse(f"column:{operator}{value}", {"column": kind}).column == "column"
        else:
            with pytest.raises(QueryError):
                parse(f"column:{operator}{value}", {"column": kind})


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.name)
def test_every_documented_column_filters_and_sorts(harbour: httpx.Client, resource: Any) -> None:
    for column, kind in resource.columns.items():
        text = f"{column}:{kind.value[0]}{VALUES[kind]}"
        sort = {"sort": column} if kind is not Kind.ARRAY else {}
        answer = harbour.get(f"/{resource.name}", params={"q[]": text, **sort})
        assert answer.status_code == 200, text
