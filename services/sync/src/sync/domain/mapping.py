"""Cliniko's JSON to our records, a page at a time: what cannot be mapped is set aside with a reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from contracts.records import (
    AppointmentRecord,
    AppointmentTypeRecord,
    PatientRecord,
    PractitionerRecord,
    Record,
)
from sync.domain.clinic import Json
from sync.domain.values import common, identity, linked, text, yes


@dataclass(frozen=True)
class Mapped:
    """A record's state, its sequence still to be given when it lands."""

    cliniko_id: str
    record: Record


@dataclass(frozen=True)
class Rejected:
    """A record that could not be mapped: its id and why, never its content."""

    cliniko_id: str
    reason: str


def map_page(rows: Sequence[Json], mapping: Callable[[Json], Record]) -> tuple[list[Mapped], list[Rejected]]:
    """Every row of a page as one or the other; of a row that is there twice the last one counts."""
    read: dict[str, Mapped | Rejected] = {}
    for row in rows:
        cliniko_id = identity(row)
        read[cliniko_id] = _map(cliniko_id, row, mapping)
    mapped = [one for one in read.values() if isinstance(one, Mapped)]
    return mapped, [one for one in read.values() if isinstance(one, Rejected)]


def _map(cliniko_id: str, row: Json, mapping: Callable[[Json], Record]) -> Mapped | Rejected:
    try:
        record = mapping(row)
    except ValidationError as error:
        return Rejected(cliniko_id, _reason(error))
    except (TypeError, LookupError, AttributeError, ValueError) as error:  # a list where an object should be, ...
        return Rejected(cliniko_id, type(error).__name__)
    return Mapped(cliniko_id, record)


def patient(row: Json) -> PatientRecord:
    """`/patients`."""
    return PatientRecord.model_validate(
        {
            **common(row, "archived_at", "deleted_at", "merged_at"),
            "cliniko_patient_id": identity(row),
            "first_name": text(row.get("first_name")) or "",
            "last_name": text(row.get("last_name")) or "",
            "email": text(row.get("email")),
            "phone_numbers": [
                {"type": text(phone.get("phone_type")) or "Other", "number": text(phone["number"])}
                for phone in row.get("patient_phone_numbers") or ()
                if text(phone.get("number"))
            ],
        }
    )


def appointment(row: Json) -> AppointmentRecord:
    """`/individual_appointments`."""
    return AppointmentRecord.model_validate(
        {
            **common(row, "archived_at", "deleted_at", "cancelled_at", "starts_at", "ends_at"),
            "cliniko_appointment_id": identity(row),
            "cliniko_patient_id": linked(row, "patient"),
            "appointment_type_id": linked(row, "appointment_type"),
            "practitioner_id": linked(row, "practitioner"),
            "notes": text(row.get("notes")),
            "patient_arrived": yes(row.get("patient_arrived")),
            "did_not_arrive": yes(row.get("did_not_arrive")),
        }
    )


def appointment_type(row: Json) -> AppointmentTypeRecord:
    """`/appointment_types`."""
    return AppointmentTypeRecord.model_validate(
        {**common(row, "archived_at"), "appointment_type_id": identity(row), "name": text(row.get("name"))}
    )


def practitioner(row: Json) -> PractitionerRecord:
    """`/practitioners` and `/practitioners/inactive`."""
    names = (text(row.get("first_name")), text(row.get("last_name")))
    name = text(row.get("display_name")) or " ".join(part.strip() for part in names if part and part.strip())
    return PractitionerRecord.model_validate(
        {**common(row), "practitioner_id": identity(row), "name": name, "active": row.get("active") is not False}
    )


def _reason(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in problems)[:200]
