from typing import Any

import pytest

from sync.domain.mapping import appointment, appointment_type, map_page, patient, practitioner

TIMES = {"created_at": "2024-01-15T09:00:00Z", "updated_at": "2025-06-30T12:00:00Z"}
PATIENT = {"id": "12345", "first_name": "Ada", "last_name": "Example", **TIMES}


def link(to: str) -> dict[str, Any]:
    return {"links": {"self": f"https://api.au4.cliniko.com/v1/{to}"}}


APPOINTMENT = {"id": "54321", "starts_at": "2025-07-02T10:00:00Z", "patient": link("patients/12345"), **TIMES}


def test_a_patient_with_nothing_but_a_name_is_a_patient() -> None:
    record = patient(PATIENT)
    assert (record.cliniko_patient_id, record.first_name, record.phone_numbers) == ("12345", "Ada", ())


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"first_name": None}, "first_name", ""),
        ({"email": ""}, "email", None),
        ({"archived_at": ""}, "archived_at", None),
        ({"last_name": "Null\x00Byte"}, "last_name", "NullByte"),
        ({"last_name": "\x00"}, "last_name", ""),
        ({"last_name": "Half\ud83d"}, "last_name", "Half"),
        ({"last_name": "Whole \U0001f600"}, "last_name", "Whole \U0001f600"),
        ({"id": 1390726237298631770}, "cliniko_patient_id", "1390726237298631770"),
        ({"first_name": "\u202eمريم", "id": "12345"}, "first_name", "\u202eمريم"),
        ({"first_name": "Zoë", "label": "Zoë Example"}, "first_name", "Zoë"),
        ({"last_name": "Bell\x07 and\ttab"}, "last_name", "Bell\x07 and\ttab"),
        ({"email": "\x00"}, "email", None),
        ({"id": "75335355"}, "cliniko_patient_id", "75335355"),
        ({"id": "9223372036854775807"}, "cliniko_patient_id", "9223372036854775807"),
        ({"date_of_birth": "1900-02-29", "a_new_field": {"of": ["any", "shape"]}}, "first_name", "Ada"),
        ({"notes": "long " * 200_000}, "first_name", "Ada"),
        ({"merged_with_patient": link("patients/9"), "merged_at": ""}, "merged_at", None),
        ({"patient_phone_numbers": []}, "phone_numbers", ()),
        ({"patient_phone_numbers": [{"number": "\x00"}, {"phone_type": "Home"}, {}]}, "phone_numbers", ()),
        ({"patient_phone_numbers": None}, "phone_numbers", ()),
        ({"patient_phone_numbers": [{"phone_type": None, "number": None}]}, "phone_numbers", ()),
    ],
)
def test_odd_values_of_cliniko_are_understood(given: dict[str, Any], field: str, expected: Any) -> None:
    assert getattr(patient({**PATIENT, **given}), field) == expected


def test_a_phone_number_is_kept_as_typed_and_twice_if_typed_twice() -> None:
    typed = [{"phone_type": "", "number": "ask at the desk"}, {"phone_type": "Mobile", "number": "0444", "x": 1}] * 2
    numbers = patient({**PATIENT, "patient_phone_numbers": typed}).phone_numbers
    assert [(number.type, number.number) for number in numbers] == [
        ("Other", "ask at the desk"),
        ("Mobile", "0444"),
    ] * 2


def test_times_with_an_offset_or_a_fraction_are_the_same_moment() -> None:
    offset = patient({**PATIENT, "updated_at": "2025-06-30T22:00:00.000+10:00"})
    assert offset.updated_at == patient(PATIENT).updated_at


def test_ids_come_from_links_and_an_absent_relation_is_none() -> None:
    record = appointment({**APPOINTMENT, "practitioner": link("practitioners/8/")})
    assert (record.cliniko_patient_id, record.practitioner_id, record.appointment_type_id) == ("12345", "8", None)


@pytest.mark.parametrize("absent", [None, {}, {"links": None}, {"links": {}}, {"links": {"self": None}}])
def test_a_relation_can_be_absent_in_every_way(absent: Any) -> None:
    assert appointment({**APPOINTMENT, "appointment_type": absent, "practitioner": absent}).practitioner_id is None


def test_the_query_of_a_link_is_not_part_of_the_id() -> None:
    assert appointment({**APPOINTMENT, "practitioner": link("practitioners/8?view=short")}).practitioner_id == "8"


@pytest.mark.parametrize(
    ("given", "meant"), [(True, True), (False, False), (None, False), ("false", False), (0, False)]
)
def test_only_a_true_is_a_yes(given: Any, meant: bool) -> None:
    record = appointment({**APPOINTMENT, "did_not_arrive": given, "patient_arrived": given})
    assert (record.did_not_arrive, record.patient_arrived) == (meant, meant)


def test_a_practitioner_without_a_display_name_has_first_and_last() -> None:
    row = {"id": "8", "first_name": " Sam ", "last_name": "Sample", "display_name": "", "active": False, **TIMES}
    assert (practitioner(row).name, practitioner(row).active) == ("Sam Sample", False)


@pytest.mark.parametrize(
    "damage",
    [
        {"updated_at": None},
        {"updated_at": "yesterday"},
        {"id": "not-a-number"},
        {"id": None},
        {"id": "1\x00"},
        {"id": {"name": "Canary"}},
        {"id": "Canary"},
        {"id": 1.39e18},
        {"id": "-1"},
        {"updated_at": "2025-06-30"},
        {"updated_at": "2025-06-30T12:00:00"},
        {"email": {"Canary": 1}},
        {"updated_at": "9999-12-31T23:59:59-10:00"},
        {"first_name": ["Canary"]},
        {"patient_phone_numbers": ["Canary"]},
        {"patient_phone_numbers": [{"phone_type": "Mobile", "number": 412}]},
    ],
)
def test_a_row_that_cannot_be_mapped_is_kept_aside_without_its_content_and_the_others_go_on(
    damage: dict[str, Any],
) -> None:
    mapped, (rejected,) = map_page([{**PATIENT, **damage}, {**PATIENT, "id": "2"}], patient)
    assert [one.cliniko_id for one in mapped] == ["2"]
    assert rejected.reason
    assert rejected.cliniko_id in ("12345", "")
    assert "Canary" not in rejected.reason


def test_a_row_that_is_no_object_is_kept_aside() -> None:
    mapped, rejected = map_page([None, "text", PATIENT], patient)  # type: ignore[list-item] # as Cliniko should not
    assert ([one.cliniko_id for one in mapped], len(rejected)) == (["12345"], 1)


def test_an_appointment_without_a_patient_is_kept_aside() -> None:
    _, (rejected,) = map_page([{**APPOINTMENT, "patient": {}}], appointment)
    assert rejected.reason.startswith("cliniko_patient_id")


def test_of_a_row_that_is_there_twice_the_last_counts() -> None:
    twice = [{"id": "7", "name": name, **TIMES} for name in ("Old", "New")]
    (mapped,), rejected = map_page(twice, appointment_type)
    assert (mapped.record.model_dump()["name"], rejected) == ("New", [])


@pytest.mark.parametrize(("last", "left"), [("Knee", "mapped"), (None, "rejected")])
def test_a_row_that_is_there_twice_is_never_both_mapped_and_kept_aside(last: str | None, left: str) -> None:
    twice = [{"id": "7", "name": name, **TIMES} for name in (None if last else "Knee", last)]
    mapped, rejected = map_page(twice, appointment_type)
    assert (len(mapped), len(rejected)) == ((1, 0) if left == "mapped" else (0, 1))
