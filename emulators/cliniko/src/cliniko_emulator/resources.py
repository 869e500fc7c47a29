"""The resources served: which columns filter, which hide rows by default, and how a record becomes JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cliniko_emulator import serialise
from cliniko_emulator.clinic import Clinic, Table
from cliniko_emulator.filters import Kind
from cliniko_emulator.records import Appointment, AppointmentType, Business, Patient, Practitioner


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A row is left out while a `hiding` column holds a value, unless a `q[]` names it; GET by id takes only those."""

    name: str
    record: type[Any]
    columns: Mapping[str, Kind]
    hiding: tuple[str, ...] = ()
    render: Callable[[Any, str, Clinic], dict[str, object]]

    def table(self, clinic: Clinic) -> Table[Any]:
        table: Table[Any] = getattr(clinic, self.name)
        return table

    @property
    def sortable(self) -> frozenset[str]:
        """SIM: Cliniko does not list its sortable columns; here it is those that filter and hold one value."""
        return frozenset(column for column, kind in self.columns.items() if kind is not Kind.ARRAY)


def _columns(
    *, date: str = "", datetime: str = "", integer: str = "", string: str = "", boolean: str = "", array: str = ""
) -> dict[str, Kind]:
    named = {
        Kind.DATE: date,
        Kind.DATETIME: datetime,
        Kind.INTEGER: integer,
        Kind.STRING: string,
        Kind.BOOLEAN: boolean,
        Kind.ARRAY: array,
    }
    return {column: kind for kind, columns in named.items() for column in columns.split()}


PATIENTS = Resource(
    name="patients",
    record=Patient,
    columns=_columns(
        date="date_of_birth",
        datetime="archived_at created_at updated_at",
        integer="id",
        string="email first_name last_name preferred_first_name old_reference_id",
        boolean="accepted_privacy_policy",
    ),
    hiding=("archived_at",),
    render=serialise.patient,
)
INDIVIDUAL_APPOINTMENTS = Resource(
    name="individual_appointments",
    record=Appointment,
    columns=_columns(
        datetime="archived_at cancelled_at created_at deleted_at ends_at starts_at updated_at",
        integer="appointment_type_id business_id id patient_id practitioner_id repeated_from_id",
        boolean="did_not_arrive",
    ),
    hiding=("archived_at", "cancelled_at", "deleted_at"),
    render=serialise.individual_appointment,
)
APPOINTMENT_TYPES = Resource(
    name="appointment_types",
    record=AppointmentType,
    columns=_columns(
        datetime="archived_at created_at updated_at",
        integer="id",
        string="category online_payments_mode",
        boolean="show_in_online_bookings",
        array="appointment_confirmation_template_ids appointment_follow_up_template_ids "
        "appointment_reminder_template_ids",
    ),
    hiding=("archived_at",),
    render=serialise.appointment_type,
)
PRACTITIONERS = Resource(
    name="practitioners",
    record=Practitioner,
    columns=_columns(datetime="created_at updated_at", integer="id user_id", boolean="active show_in_online_bookings"),
    render=serialise.practitioner,
)
BUSINESSES = Resource(
    name="businesses",
    record=Business,
    columns=_columns(
        datetime="archived_at created_at deleted_at updated_at",
        integer="id",
        boolean="show_in_online_bookings",
        array="appointment_type_ids",
    ),
    hiding=("archived_at", "deleted_at"),
    render=serialise.business,
)
RESOURCES = (PATIENTS, INDIVIDUAL_APPOINTMENTS, APPOINTMENT_TYPES, PRACTITIONERS, BUSINESSES)
