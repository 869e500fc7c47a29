"""The map: who announces what to whom. Every service is tested against it."""

from dataclasses import dataclass

from contracts.base import Event
from contracts.events import (
    AccessRefused,
    AppointmentsSynced,
    AppointmentTypesSynced,
    BatchApplied,
    CleanupRequested,
    ConnectionChanged,
    FiguresCounted,
    OrganizationDeleted,
    PatientErased,
    PatientRecordsRead,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    RedriveSettled,
    ScheduleChanged,
    SyncLogsRemoved,
    SyncRunChanged,
)


@dataclass(frozen=True)
class Route:
    """One event on its way from its producer to every consumer."""

    event: type[Event]
    producer: str
    consumers: tuple[str, ...]

    @property
    def key(self) -> str:
        """The routing key on the exchange `events`."""
        return self.event.routing_key(self.producer)

    def queue(self, consumer: str) -> str:
        """The queue in which `consumer` receives it."""
        return f"{consumer}.{self.key}"


ROUTES = (
    Route(PatientsSynced, producer="sync", consumers=("patients", "analytics")),
    Route(AppointmentsSynced, producer="sync", consumers=("patients", "analytics")),
    Route(AppointmentTypesSynced, producer="sync", consumers=("patients", "analytics")),
    Route(PractitionersSynced, producer="sync", consumers=("patients", "analytics")),
    Route(RecordsRemoved, producer="sync", consumers=("patients", "analytics")),
    Route(SyncRunChanged, producer="sync", consumers=("patients", "analytics", "admin")),
    Route(ConnectionChanged, producer="sync", consumers=("analytics", "admin")),
    Route(ScheduleChanged, producer="sync", consumers=("admin",)),
    Route(SyncLogsRemoved, producer="sync", consumers=("admin",)),
    Route(BatchApplied, producer="patients", consumers=("sync",)),
    Route(BatchApplied, producer="analytics", consumers=("sync",)),
    Route(FiguresCounted, producer="analytics", consumers=("admin",)),
    Route(PatientRecordsRead, producer="patients", consumers=("admin",)),
    Route(PatientErased, producer="patients", consumers=("sync", "analytics", "admin")),
    Route(AccessRefused, producer="gateway", consumers=("admin",)),
    Route(OrganizationDeleted, producer="admin", consumers=("sync",)),
    Route(CleanupRequested, producer="admin", consumers=("sync",)),
    Route(RedriveSettled, producer="patients", consumers=("admin",)),
    Route(RedriveSettled, producer="analytics", consumers=("admin",)),
    Route(RedriveSettled, producer="sync", consumers=("admin",)),
    Route(RedriveSettled, producer="admin", consumers=("admin",)),
)


def confirmed_by(event: type[Event]) -> tuple[str, ...]:
    """The consumers of a batch that answer it with `BatchApplied`."""
    answering = {route.producer for route in ROUTES if route.event is BatchApplied}
    hearing = (route.consumers for route in ROUTES if route.event is event)
    return tuple(sorted(answering.intersection(*hearing)))


def announced_by(producer: str) -> tuple[Route, ...]:
    """The routes that start at this service."""
    return tuple(route for route in ROUTES if route.producer == producer)


def received_by(consumer: str) -> tuple[Route, ...]:
    """The routes that end at this service."""
    return tuple(route for route in ROUTES if consumer in route.consumers)
