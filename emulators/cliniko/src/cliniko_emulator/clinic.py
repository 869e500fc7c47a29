"""One clinic: its account and its records."""

from dataclasses import dataclass, field
from functools import cached_property

from cliniko_emulator.accounts import Account
from cliniko_emulator.bookings import Booking, Bookings
from cliniko_emulator.records import (
    Appointment,
    AppointmentType,
    Attendee,
    Business,
    GroupAppointment,
    Patient,
    Practitioner,
    Tombstone,
    UnavailableBlock,
)
from cliniko_emulator.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The user whose API key opens the clinic."""

    id: int
    first_name: str
    last_name: str
    email: str
    created_at: int


@dataclass(frozen=True, kw_only=True)
class Clinic:
    account: Account
    name: str
    owner: Owner
    patients: Table[Patient]
    individual_appointments: Table[Appointment]
    group_appointments: Table[GroupAppointment]
    attendees: Table[Attendee]
    appointment_types: Table[AppointmentType]
    practitioners: Table[Practitioner]
    businesses: Table[Business]
    unavailable_blocks: Table[UnavailableBlock]
    erased_patients: Table[Tombstone] = field(default_factory=Table)

    @property
    def bookings(self) -> Table[Booking]:
        return self._bookings.table

    @cached_property
    def _bookings(self) -> Bookings:
        return Bookings(self.individual_appointments, self.group_appointments, self.unavailable_blocks, self.patients)

    @cached_property
    def host(self) -> str:
        """Where the clinic's people open the application."""
        return f"{self.subdomain}.{self.account.shard}.cliniko.com"

    @property
    def subdomain(self) -> str:
        return self.name.lower().replace(" ", "-")
