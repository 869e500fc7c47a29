"""What analytics does: it records facts and counts them."""

from collections.abc import Sequence
from datetime import datetime

from analytics.adapters.store import Store
from analytics.domain.activity import Activity
from analytics.domain.facts import appointment_fact, patient_fact
from analytics.domain.figures import Figures
from analytics.domain.periods import Timeframe
from analytics.domain.retention import Position, Retention, Risk
from analytics.domain.trends import Trend
from contracts.events import (
    AppointmentsSynced,
    AppointmentTypesSynced,
    ConnectionChanged,
    FiguresCounted,
    PatientErased,
    PatientsSynced,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)


async def record_patients(events: Sequence[PatientsSynced], store: Store) -> None:
    """Keep what is new in these pages of one organization."""
    facts = [patient_fact(record) for event in events for record in event.records]
    await store.put_patients(events[0].organization_id, facts)


async def record_appointments(events: Sequence[AppointmentsSynced], store: Store) -> None:
    """Keep what is new in these pages of one organization."""
    facts = [appointment_fact(record) for event in events for record in event.records]
    await store.put_appointments(events[0].organization_id, facts)


async def record_appointment_types(event: AppointmentTypesSynced, store: Store) -> None:
    """Keep the types' names."""
    await store.put_appointment_types(event)


async def record_practitioners(event: PractitionersSynced, store: Store) -> None:
    """Keep the practitioners' names."""
    await store.put_practitioners(event)


async def remove_records(event: RecordsRemoved, store: Store) -> None:
    """Let go of what Cliniko no longer has."""
    await store.remove(event)


async def erase_patient(event: PatientErased, store: Store, now: datetime) -> None:
    """Let go of a patient for good."""
    await store.erase(event.organization_id, event.cliniko_patient_id, now)


async def record_run(event: SyncRunChanged, store: Store, now: datetime) -> None:
    """Keep the run's state and announce the clinic's size.

    The announcement carries `now`, taken before counting: once a run has completed nothing it brought is missing, so
    the announcement with the latest time holds the final figures.
    """
    await store.put_run(event)
    figures = await store.figures(event.organization_id, now)
    await store.announce(
        FiguresCounted(
            organization_id=event.organization_id,
            request_id=event.request_id,
            occurred_at=now,
            total_patients=figures.total_patients,
            active_patients=figures.active_patients,
        )
    )


async def record_connection(event: ConnectionChanged, store: Store) -> None:
    """Keep whether the clinic is connected."""
    await store.put_connection(event)


async def summarize(organization_id: str, store: Store, now: datetime) -> Figures:
    """The clinic at `now`."""
    return await store.figures(organization_id, now)


async def give_overview(organization_id: str, runs: int, store: Store, now: datetime) -> tuple[Figures, list[Activity]]:
    """The clinic at `now`, and its newest `runs`."""
    return await store.overview(organization_id, runs, now)


async def recall_activity(
    organization_id: str, runs: int, store: Store, now: datetime
) -> tuple[list[Activity], datetime | None]:
    """The clinic's newest `runs`, and how old what is told of it is."""
    return await store.activity(organization_id, runs, now)


async def compare_periods(organization_id: str, timeframe: Timeframe, store: Store, now: datetime) -> Trend:
    """What happened in the days up to `now`, and in those before."""
    return await store.trend(organization_id, timeframe, now)


async def list_patients_at_risk(
    organization_id: str, store: Store, now: datetime, *, risk: Risk | None, limit: int, after: Position | None
) -> Retention:
    """Whom the clinic may want to call at `now`."""
    return await store.patients_at_risk(organization_id, now, risk=risk, limit=limit, after=after)
