"""Between a record's columns and Cliniko's JSON; the column's name says how it travels."""

import time
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

from cliniko_emulator.records import Phone, Record

RELATED = {
    "appointment_type_id": "appointment_types",
    "business_id": "businesses",
    "default_appointment_type_id": "appointment_types",
    "latest_booking_id": "bookings",
    "merged_with_patient_id": "patients",
    "patient_id": "patients",
    "practitioner_id": "practitioners",
    "repeated_from_id": "individual_appointments",
    "user_id": "users",
}


class ColumnError(ValueError):
    """A value sent to the control endpoint does not fit its column; the text says which."""


def timestamp(seconds: int | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def link(url: str) -> dict[str, dict[str, str]]:
    return {"links": {"self": url}}


def to_json(record: Record, base: str) -> dict[str, object]:
    """The record's own columns; a to-one relation that is not set is left out, as Cliniko does, not sent as null."""
    answer: dict[str, object] = {}
    for field in fields(record):
        name, value = field.name, getattr(record, field.name)
        if name == "id":
            answer[name] = str(value)
        elif name.endswith("_at"):
            answer[name] = timestamp(value)
        elif name in RELATED:
            if value is not None:
                answer[name.removesuffix("_id")] = link(f"{base}/{RELATED[name]}/{value}")
        else:
            answer[name] = _plain(name, value)
    return answer


def _plain(name: str, value: object) -> object:
    if not isinstance(value, tuple):
        return value
    return [str(one) for one in value] if name.endswith("_ids") else [phone._asdict() for phone in value]


def from_json(record: type[Record], values: Mapping[str, object]) -> dict[str, object]:
    """Column values out of JSON, relations by their `*_id`; raises ColumnError."""
    if unknown := sorted(values.keys() - {field.name for field in fields(record)}):
        raise ColumnError(f"no such column: {', '.join(unknown)}")
    return {name: _read(name, value) for name, value in values.items()}


def missing_columns(record: type[Record], values: Mapping[str, object]) -> list[str]:
    return [field.name for field in fields(record) if field.default is MISSING and field.name not in values]


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
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError("a time needs its zone")
        return int(moment.timestamp())
    if name in RELATED or name == "id":
        return int(str(value))
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
