"""The list of patients computed straight from semantics.md, one patient at a time, from every event ever heard."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts.base import Event
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)
from contracts.records import AppointmentRecord, PatientRecord
from contracts.timestamps import iso
from patients.domain.patient import patient_id

Json = dict[str, Any]
MONTH = timedelta(days=30)
ENTRY = {
    PatientsSynced: "cliniko_patient_id",
    AppointmentsSynced: "cliniko_appointment_id",
    AppointmentTypesSynced: "appointment_type_id",
    PractitionersSynced: "practitioner_id",
}


class History:
    """The newest state of everything, and when it was landed."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list(events)
        self.patients = self._newest(PatientsSynced)
        self.appointments = self._newest(AppointmentsSynced)
        self.types = {key: record.name for key, (record, _) in self._newest(AppointmentTypesSynced).items()}
        self.practitioners = {key: record.name for key, (record, _) in self._newest(PractitionersSynced).items()}
        runs = [event for event in self.events if isinstance(event, SyncRunChanged) and event.status == "completed"]
        self.sweeps = [run.completed_at for run in runs if run.full_sweep and run.completed_at]

    def _newest(self, kind: type[Any]) -> dict[str, tuple[Any, datetime]]:
        newest: dict[str, tuple[Any, datetime]] = {}
        for event in self.events:
            for record in event.records if isinstance(event, kind) else ():
                key = getattr(record, ENTRY[kind])
                if key not in newest or record.sequence > newest[key][0].sequence:
                    newest[key] = (record, event.occurred_at)
        gone = self._removed("patients" if kind is PatientsSynced else "appointments")
        known = kind in (PatientsSynced, AppointmentsSynced)
        return {key: one for key, one in newest.items() if not known or one[0].sequence > gone.get(key, -1)}

    def _removed(self, kind: str) -> dict[str, int]:
        events = [event for event in self.events if isinstance(event, RecordsRemoved)]
        removals = [removal for event in events for removal in getattr(event, kind)]
        ordered = sorted(removals, key=lambda removal: removal.sequence)
        return {removal.cliniko_id: removal.sequence for removal in ordered}

    def patient_list(self, now: datetime, active: str = "true") -> list[Json]:
        """Every listed patient whose `is_active` is asked for, in the order of the list."""
        documents = [
            self._document(record, landed, now)
            for record, landed in self.patients.values()
            if not (record.archived_at or record.deleted_at or record.merged_at)
        ]
        wanted = {"true": [True], "false": [False], "all": [True, False]}[active]
        shown = [document for document in documents if document["is_active"] in wanted]
        shown.sort(key=lambda document: document["id"])
        shown.sort(key=lambda document: document["name"].lower())
        shown.sort(key=lambda document: document["last_appointment_date"] or "", reverse=True)
        return sorted(shown, key=lambda document: document["next_appointment_time"] or "9999-99")

    def _document(self, record: PatientRecord, landed: datetime, now: datetime) -> Json:
        counted = [
            appointment
            for appointment, _ in self.appointments.values()
            if appointment.cliniko_patient_id == record.cliniko_patient_id
            and not (appointment.cancelled_at or appointment.archived_at or appointment.deleted_at)
        ]
        counted.sort(key=lambda appointment: appointment.cliniko_appointment_id)
        soonest = sorted(counted, key=lambda appointment: appointment.starts_at)
        latest = sorted(counted, key=lambda appointment: appointment.starts_at, reverse=True)
        upcoming = [appointment for appointment in soonest if appointment.starts_at > now]
        started = [appointment for appointment in latest if appointment.starts_at <= now]
        recent = [appointment for appointment in started if appointment.starts_at >= now - MONTH]
        notes = [appointment.notes for appointment in latest if (appointment.notes or "").strip()]
        return {
            "id": str(patient_id(self.events[0].organization_id, record.cliniko_patient_id)),
            "name": name(record),
            "phone": phone(record),
            "email": (record.email or "").strip() or None,
            "cliniko_patient_id": record.cliniko_patient_id,
            "is_active": bool(recent or upcoming),
            "activity_status": _status(bool(recent), bool(upcoming)),
            "recent_appointment_count": len(recent),
            "upcoming_appointment_count": len(upcoming),
            "total_appointment_count": len(counted),
            "first_appointment_date": iso(soonest[0].starts_at) if soonest else None,
            "last_appointment_date": iso(started[0].starts_at) if started else None,
            "next_appointment_time": iso(upcoming[0].starts_at) if upcoming else None,
            "next_appointment_type": self.types.get(str(upcoming[0].appointment_type_id)) if upcoming else None,
            "primary_appointment_type": self._primary_type(counted),
            "treatment_notes": notes[0] if notes else None,
            "recent_appointments": [self._shown(appointment) for appointment in recent[:50]],
            "upcoming_appointments": [self._shown(appointment) for appointment in upcoming[:50]],
            "last_synced_at": iso(max([landed, *self.sweeps])),
            "created_at": iso(record.created_at),
            "updated_at": iso(landed),
        }

    def _primary_type(self, counted: Sequence[AppointmentRecord]) -> str | None:
        named = [(self.types.get(str(one.appointment_type_id)), one.starts_at) for one in counted]
        times = Counter(name for name, _ in named if name is not None)
        most = [name for name in sorted(times) if times[name] == max(times.values())]
        last_start = {name: max(start for other, start in named if other == name) for name in most}
        return next((name for name in most if last_start[name] == max(last_start.values())), None)

    def _shown(self, appointment: AppointmentRecord) -> Json:
        status = "arrived" if appointment.patient_arrived else "booked"
        return {
            "id": appointment.cliniko_appointment_id,
            "date": iso(appointment.starts_at),
            "type": self.types.get(str(appointment.appointment_type_id)),
            "notes": appointment.notes if (appointment.notes or "").strip() else None,
            "practitioner": self.practitioners.get(str(appointment.practitioner_id)),
            "ends_at": iso(appointment.ends_at) if appointment.ends_at else None,
            "status": "did_not_arrive" if appointment.did_not_arrive else status,
        }


def _status(recent: bool, upcoming: bool) -> str:
    if recent:
        return "active" if upcoming else "recently_active"
    return "upcoming_only" if upcoming else "inactive"


def name(record: PatientRecord) -> str:
    names = [name.strip() for name in (record.first_name, record.last_name) if name.strip()]
    return " ".join(names) if names else f"Patient {record.cliniko_patient_id}"


def phone(record: PatientRecord) -> str | None:
    usable = [entry for entry in record.phone_numbers if any(character in "0123456789" for character in entry.number)]
    mobiles = [entry for entry in usable if entry.type == "Mobile"]
    for entry in mobiles + usable:
        digits = "".join(character for character in entry.number if character in "0123456789")
        return ("+" if entry.number.strip(" (").startswith("+") else "") + digits
    return None
