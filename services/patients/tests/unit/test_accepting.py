import pytest

from patients.entrypoints.accepting import CSV, JSON, preferred
from patients.entrypoints.spreadsheet import lines


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV; Q=0.4", CSV),
        ("text/csv;header=present;q=0.9, application/json;q=0.8", CSV),
        ("text/csv;q=0.8, application/json;q=0.9", JSON),
        ("text/csv, application/json", JSON),
        ("text/*, application/json;q=0.5", CSV),
        ("text/csv;q=0, */*;q=0.1", JSON),
        ("application/json;q=0, */*;q=0.1", CSV),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        ("image/png", JSON),
        ("text/csv;q=much", JSON),
        ("text/csv;q=nan", JSON),
        (";;,,=", JSON),
    ],
)
def test_the_form_with_the_highest_quality_is_sent(accept: str, form: str) -> None:
    assert preferred(accept, (JSON, CSV)) == form


@pytest.mark.parametrize("start", list("=+-@\t\r\n"))
def test_no_cell_is_calculated(start: str) -> None:
    assert lines([["id", f"{start}1+1"]]).lstrip('id,"').startswith("'")


def test_cells_are_quoted_where_they_must_be_and_empty_where_nothing_is() -> None:
    row = ['a "b"', "c,d", "e\r\nf", None, True, 1.5, "ü", ""]
    assert lines([row]) == '"a ""b""","c,d","e\r\nf",,true,1.5,ü,\r\n'
