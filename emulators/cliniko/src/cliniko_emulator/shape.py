"""A record's JSON from a template made once: per record only what differs is written. A column's name says how.

Links start with HERE, a byte no JSON holds; whoever sends the text puts the API's address in its place.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, partial
from json.encoder import encode_basestring
from operator import attrgetter
from time import gmtime, strftime
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cliniko_emulator.records import Phone, Record

if TYPE_CHECKING:
    from cliniko_emulator.clinic import Clinic

R = TypeVar("R", bound=Record)

HERE = "\0"
RELATED = {
    "appointment_type_id": "appointment_types",
    "booking_id": "bookings",
    "business_id": "businesses",
    "default_appointment_type_id": "appointment_types",
    "latest_booking_id": "bookings",
    "merged_with_patient_id": "patients",
    "patient_case_id": "patient_cases",
    "patient_id": "patients",
    "practitioner_id": "practitioners",
    "repeated_from_id": "individual_appointments",
    "user_id": "users",
}
_DAY = 86_400

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SCALARS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    NoneType: lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
}


class Shape(Generic[R]):
    """How records of one class look: their columns, what is the same for all, what is derived, and their links.

    `derived` functions give JSON text. In `links`, `#` stands for the record's id.
    """

    def __init__(
        self,
        record: type[R],
        path: str,
        *,
        constants: Mapping[str, object] | None = None,
        derived: Mapping[str, Callable[[R, "Clinic"], str]] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        columns = [field.name for field in fields(record)]
        self._values = attrgetter(*columns)
        self._writers = [_writer(column) for column in columns]
        self._derived = list((derived or {}).values())
        names = ["%s" if column in RELATED else f'"{column}":%s,' for column in columns]
        names += [f'"{name}":%s,' for name in derived or {}]
        same = [f'"{name}":{to_json(value)},'.replace("%", "%%") for name, value in (constants or {}).items()]
        linked = [f'"{name}":{link(target)},' for name, target in (links or {}).items()]
        own = "".join([*linked, link(f"{path}/#")[1:-1]])
        self._ids = own.count("#")
        self._template = "".join(["{", *names, *same, own.replace("#", "%s"), "}"])

    def write(self, record: R, clinic: "Clinic") -> bytes:
        written = [writer(value) for writer, value in zip(self._writers, self._values(record), strict=True)]
        written += [derive(record, clinic) for derive in self._derived]
        return (self._template % (*written, *[str(record.id)] * self._ids)).encode()


def link(path: str) -> str:
    return f'{{"links":{{"self":"{HERE}/{path}"}}}}'


def timestamp(seconds: float) -> str:
    """Cliniko keeps fractions of a second and shows none."""
    day, second = divmod(int(seconds), _DAY)
    return _date(day) + _time(second)


def scalar(value: object) -> str:
    """As `to_json`, many times faster for what columns hold."""
    return _SCALARS.get(value.__class__, to_json)(value)


def _writer(column: str) -> Callable[[object], str]:
    if column == "id":
        return '"{}"'.format
    if column.endswith("_at"):
        return _moment
    if column in RELATED:
        return partial(_relation, f'"{column.removesuffix("_id")}":{link(RELATED[column])},'.replace('"}', '/%d"}'))
    return _several if column.endswith(("_ids", "_numbers")) else scalar


def _relation(template: str, record_id: object) -> str:
    """A to-one relation that is not set is left out, not sent as null."""
    return "" if record_id is None else template % record_id


def _moment(seconds: Any) -> str:
    return "null" if seconds is None else f'"{timestamp(seconds)}"'


def _several(value: object) -> str:
    if not isinstance(value, tuple):
        return "null"
    return "[" + ",".join(_phone(one) if isinstance(one, Phone) else f'"{one}"' for one in value) + "]"


def _phone(phone: Phone) -> str:
    kind, number, normalized = map(scalar, phone)
    return f'{{"phone_type":{kind},"number":{number},"normalized_number":{normalized}}}'


@cache
def _date(day: int) -> str:
    return strftime("%Y-%m-%d", gmtime(day * _DAY))


@cache
def _time(second: int) -> str:
    return strftime("T%H:%M:%SZ", gmtime(second))
