"""Cliniko's one list of everything in the diary: individual and group appointments, and unavailable blocks."""

from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

from cliniko_emulator.records import Appointment, Dated, GroupAppointment, Patient, UnavailableBlock
from cliniko_emulator.table import Table


@dataclass(slots=True, kw_only=True)
class Booking(Dated):
    """One row of that list: the columns of all three kinds, null where its kind has no such column."""

    of: Appointment | GroupAppointment | UnavailableBlock
    starts_at: float
    ends_at: float
    appointment_type_id: int | None = None
    business_id: int | None = None
    practitioner_id: int | None = None
    repeated_from_id: int | None = None
    patient_ids: tuple[int, ...] = ()
    did_not_arrive: bool | None = None
    email_reminder_sent: bool | None = None
    sms_reminder_sent: bool | None = None
    invoice_status: int | None = None
    treatment_note_status: int | None = None
    archived_at: float | None = None
    cancelled_at: float | None = None
    deleted_at: float | None = None


_COLUMNS = [field.name for field in fields(Booking) if field.name not in {"of", "patient_ids"}]


class Bookings:
    """The list is made when it is first asked for, and again after a change to what it shows."""

    def __init__(
        self,
        individual: Table[Appointment],
        group: Table[GroupAppointment],
        blocks: Table[UnavailableBlock],
        patients: Table[Patient],
    ) -> None:
        self._parts = (individual, group, blocks)
        self._shown = (*self._parts, patients)
        self._seen: list[int] = []
        self._table: Table[Booking] = Table()

    @property
    def table(self) -> Table[Booking]:
        seen = [table.changes for table in self._shown]
        if seen != self._seen:
            self._seen, self._table = seen, Table(_row(record) for record in chain(*self._parts))
        return self._table


def _row(record: Any) -> Booking:
    columns = {name: getattr(record, name) for name in _COLUMNS if hasattr(record, name)}
    alone = (record.patient_id,) if isinstance(record, Appointment) and record.patient_id else ()
    return Booking(of=record, patient_ids=getattr(record, "patient_ids", alone) or (), **columns)
