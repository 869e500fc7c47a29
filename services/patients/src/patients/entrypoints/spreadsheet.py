"""Patients as lines of CSV (RFC 4180, UTF-8), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import from_json

NESTED = ("recent_appointments", "upcoming_appointments")
"""Keys of a patient that no cell can hold; their counts are columns."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(rows: Iterable[Sequence[Any]]) -> str:
    """One line each."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def row(document: str, columns: Sequence[str]) -> list[Any]:
    """The values of a patient's document under these keys."""
    patient = from_json(document)
    return [patient[column] for column in columns]


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would calculate gets an apostrophe before it, which it shows as plain text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
