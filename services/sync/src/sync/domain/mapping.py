"""Cliniko's JSON to our records, tolerant of what its records are known to hold.

Ids are text from link to record, `""` and null mean the same, an absent relation is an absent key.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from contracts.records import (
    AppointmentRecord,
    AppointmentTypeRecord,
    PatientRecord,
    PractitionerRecord,
    Record,
)

Json = Mapping[str, Any]
Fields = dict[str, Any]

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""JSON can carry NUL and halves of surrogate pairs, PostgreSQL's text cannot."""


@dataclass(frozen=True)
class Mapped:
    """A record's state, without the sequence it gets when it lands."""

    cliniko_id: str
    record: Fields


@dataclass(frozen=True)
class Rejected:
    """A record that could not be mapped: its id and why, never its content."""

    cliniko_id: str
    reason: str


def map_page(rows: Sequence[Json], mapping: Callable[[Json], Record]) -> tuple[list[Mapped], list[Rejected]]:
    """Every row of a page as one or the other; of a row that is there twice the last one counts."""
    mapped: dict[str, Mapped] = {}
    rejected: dict[str, Rejected] = {}
    for row in rows:
        cliniko_id = _id(row)
        try:
            record = mapping(row)
        except ValidationError as error:
            rejected[cliniko_id] = Rejected(cliniko_id, _reason(error))
        except (TypeError, LookupError, AttributeError) as error:  # a list where an object should be, and the like
            rejected[cliniko_id] = Rejected(cliniko_id, type(error).__name__)
        else:
            mapped[cliniko_id] = Mapped(cliniko_id, record.model_dump(mode="json", exclude={"sequence", "landed_at"}))
    return list(mapped.values()), list(rejected.values())


def patient(row: Json) -> PatientRecord:
    """`/patients`."""
    return PatientRecord.model_validate(
        {
            **_common(row, "archived_at", "deleted_at", "merged_at"),
            "cliniko_patient_id": _id(row),
            "first_name": _text(row.get("first_name")) or "",
            "last_name": _text(row.get("last_name")) or "",
            "email": _text(row.get("email")),
            "phone_numbers": [
                {"type": _text(phone.get("phone_type")) or "Other", "number": _text(phone["number"])}
                for phone in row.get("patient_phone_numbers") or ()
                if phone.get("number")
            ],
        }
    )


def appointment(row: Json) -> AppointmentRecord:
    """`/individual_appointments`."""
    return AppointmentRecord.model_validate(
        {
            **_common(row, "archived_at", "deleted_at", "cancelled_at", "starts_at", "ends_at"),
            "cliniko_appointment_id": _id(row),
            "cliniko_patient_id": _linked(row, "patient"),
            "appointment_type_id": _linked(row, "appointment_type"),
            "practitioner_id": _linked(row, "practitioner"),
            "notes": _text(row.get("notes")),
            "patient_arrived": bool(row.get("patient_arrived")),
            "did_not_arrive": bool(row.get("did_not_arrive")),
        }
    )


def appointment_type(row: Json) -> AppointmentTypeRecord:
    """`/appointment_types`."""
    return AppointmentTypeRecord.model_validate(
        {**_common(row, "archived_at"), "appointment_type_id": _id(row), "name": _text(row.get("name"))}
    )


def practitioner(row: Json) -> PractitionerRecord:
    """`/practitioners` and `/practitioners/inactive`."""
    names = (_text(row.get("first_name")), _text(row.get("last_name")))
    name = _text(row.get("display_name")) or " ".join(part.strip() for part in names if part and part.strip())
    return PractitionerRecord.model_validate(
        {**_common(row), "practitioner_id": _id(row), "name": name, "active": row.get("active") is not False}
    )


def _common(row: Json, *moments: str) -> Fields:
    return {
        "sequence": 0,
        "created_at": row.get("created_at"),
        "updated_at": row.get("updated_at"),
        **{name: row.get(name) or None for name in moments},
    }


def _id(row: Json) -> str:
    return UNSTORABLE.sub("?", str(row.get("id", ""))) if isinstance(row, Mapping) else ""


def _text(value: Any) -> Any:
    """None for an empty text; what is no text is left to the record's own validation."""
    return (UNSTORABLE.sub("", value) or None) if isinstance(value, str) else value


def _linked(row: Json, relation: str) -> str | None:
    link = ((row.get(relation) or {}).get("links") or {}).get("self")
    return str(link).rstrip("/").rsplit("/", 1)[-1] if link else None


def _reason(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in problems)[:200]
