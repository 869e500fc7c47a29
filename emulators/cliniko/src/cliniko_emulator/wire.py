"""Column values out of the JSON that the control endpoint is sent; the column's name says how to read them."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

from cliniko_emulator.records import Phone, Record
from cliniko_emulator.shape import RELATED


class ColumnError(ValueError):
    """A value does not fit its column; the text says which."""


def from_json(record: type[Record], values: Mapping[str, object]) -> dict[str, object]:
    """Relations by their `*_id`; raises ColumnError."""
    if unknown := sorted(values.keys() - {field.name for field in fields(record)}):
        raise ColumnError(f"no such column: {', '.join(unknown)}")
    return {name: _read(name, value) for name, value in values.items()}


def missing_columns(record: type[Record], values: Mapping[str, object]) -> list[str]:
    return [field.name for field in fields(record) if field.default is MISSING and field.name not in values]


def moment(text: object) -> float:
    """UTC seconds, with their fraction; raises ValueError."""
    read = datetime.fromisoformat(str(text))
    if read.tzinfo is None:
        raise ValueError("a time needs its zone")
    return read.timestamp()


def _read(name: str, value: object) -> object:
    try:
        return None if value is None else _parse(name, value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ColumnError(f"{name} cannot hold that value") from error


def _parse(name: str, value: object) -> object:
    if name == "patient_phone_numbers":
        return tuple(Phone(one["phone_type"], one["number"], one.get("normalized_number")) for one in _list(value))
    if name.endswith("_ids"):
        return tuple(int(one) for one in _list(value))
    if name.endswith("_at"):
        return moment(value)
    if name in RELATED or name == "id":
        return int(str(value))
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
