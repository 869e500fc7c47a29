"""A clinic's facts as Cliniko's own answers have them, in the form the slow computations of analytics read."""

from datetime import datetime
from typing import Any

from services.analytics.tests.histories import History
from tests.independent import ClinikoAccount, Json

from contracts.records import AppointmentRecord, AppointmentTypeRecord, PatientRecord, PractitionerRecord

EVERY_STATE = ("archived_at:*", "cancelled_at:*", "deleted_at:*")
FIRST = {"sequence": 1}


def read(account: ClinikoAccount, organization_id: str) -> History:
    """Nothing has ever been removed: what is gone is not there."""
    patients = [
        PatientRecord(**_common(row, "archived_at", "deleted_at", "merged_at"), cliniko_patient_id=row["id"])
        for row in account.all("patients", "archived_at:*")
    ]
    types = [
        AppointmentTypeRecord(**_common(row), appointment_type_id=row["id"], name=row["name"])
        for row in account.all("appointment_types", "archived_at:*")
    ]
    practitioners = [
        PractitionerRecord(**_common(row), practitioner_id=row["id"], name=row["display_name"])
        for path in ("practitioners", "practitioners/inactive")
        for row in account.all(path)
    ]
    return History(organization_id, patients, _appointments(account), [], [], [], types, practitioners)


def _appointments(account: ClinikoAccount) -> list[AppointmentRecord]:
    single = [_appointment(row, row) for row in account.all("individual_appointments", *EVERY_STATE)]
    groups = {row["id"]: row for row in account.all("group_appointments", "archived_at:*", "deleted_at:*")}
    attended = [(row, groups.get(_linked(row, "booking"))) for row in account.all("attendees", *EVERY_STATE)]
    return single + [_appointment(row, group) for row, group in attended if group is not None]


def _appointment(own: Json, booking: Json) -> AppointmentRecord:
    """`own` says whose it is and what became of it, `booking` when, what and with whom."""
    states = _common(own, "cancelled_at", "archived_at", "deleted_at")
    return AppointmentRecord(
        **{**states, "deleted_at": states["deleted_at"] or _moment(booking["deleted_at"])},
        cliniko_appointment_id=own["id"],
        cliniko_patient_id=str(_linked(own, "patient")),
        appointment_type_id=_linked(booking, "appointment_type"),
        practitioner_id=_linked(booking, "practitioner"),
        starts_at=booking["starts_at"],
        did_not_arrive=own.get("did_not_arrive") is True,
    )


def _common(row: Json, *more: str) -> dict[str, Any]:
    return {**FIRST, **{key: _moment(row[key]) for key in ("created_at", "updated_at", *more)}}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _linked(row: Json, name: str) -> str | None:
    relation = row.get(name)
    return str(relation["links"]["self"]).rsplit("/", 1)[-1] if relation else None
