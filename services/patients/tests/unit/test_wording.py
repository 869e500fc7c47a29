import pytest

from contracts.records import PhoneNumber
from patients.domain import search
from patients.domain.wording import full_name, preferred_phone, trimmed


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (" Ada ", "\tExample\u00a0", "Ada Example"),
        ("Ada", " ", "Ada"),
        ("", "Example", "Example"),
        ("Ada  Maria", "van der Berg", "Ada  Maria van der Berg"),
        (" ", "", "Patient 12345"),
    ],
)
def test_a_name_is_both_names_trimmed_or_the_patients_number(first: str, last: str, name: str) -> None:
    assert full_name(first, last, "12345") == name


@pytest.mark.parametrize(
    ("numbers", "phone"),
    [
        ([], None),
        ([("Home", "02 9999"), ("Mobile", "0412 345 678"), ("Mobile", "0499")], "0412345678"),
        ([("Mobile", "ask"), ("Home", "-"), ("Work", "(02) 99-99")], "029999"),
        ([("Home", "+61 (0)2 9999")], "+61029999"),
        ([("Home", "(+61) 2"), ("Other", "1")], "+612"),
        ([("Home", "02+3")], "023"),
        ([("Home", "+")], None),
    ],
)
def test_a_phone_is_the_first_mobile_number_else_the_first_with_a_digit(
    numbers: list[tuple[str, str]], phone: str | None
) -> None:
    assert preferred_phone([PhoneNumber(type=label, number=number) for label, number in numbers]) == phone


@pytest.mark.parametrize(("email", "kept"), [(None, None), ("", None), (" \n", None), (" a@b.c ", "a@b.c")])
def test_an_address_is_trimmed_and_none_when_blank(email: str | None, kept: str | None) -> None:
    assert trimmed(email) == kept


@pytest.mark.parametrize(
    ("asked", "term"),
    [(" Ada ", "ada"), ("0412 345", "0412345"), ("+61 (2)", "+612"), ("Patient 12", "patient 12"), ("-", "-")],
)
def test_a_search_for_a_phone_number_may_group_it_in_any_way(asked: str, term: str) -> None:
    assert search.term(asked) == term
